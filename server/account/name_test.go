package account_test

import (
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/account"
)

func TestCheckName(t *testing.T) {
	for name, want := range map[string]string{
		"Ada": "", " Ada ": "", "李 小龍": "", "عائشة": "", "\u200fعائشة": "", "👩\u200d💻": "", "O'Neill-Müller, Jr.": "", "7": "",
		"": "required", " \t": "required", strings.Repeat("é", 100): "", strings.Repeat("é", 101): "too_long",
		"\u200b": "illegible", "\ufeff": "illegible", "\u00ad\u200d": "illegible", "a\u202eb": "illegible", "a\u2028b": "illegible",
		"Ada https://evil.example": "web_address", "WWW.evil.example": "web_address", "Ada ｗｗｗ.evil": "web_address", "Awww Ada": "", "Dr. No": "",
		"\u2066Ada\u2069": "illegible", "\u0301": "illegible",
	} {
		got := ""
		if fields := account.CheckName(name); len(fields) > 0 {
			got = fields[0].Code
		}
		if got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
	}
}
