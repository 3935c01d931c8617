package account_test

import (
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/problem"
)

// Row 74: what people write is plain text, and stays that wherever it is shown.
func TestWhatPeopleWrite(t *testing.T) {
	code := func(fields []problem.Field) string {
		if len(fields) == 0 {
			return ""
		}
		if fields[0].Name != "field" {
			t.Errorf("the field is %q", fields[0].Name)
		}
		return fields[0].Code
	}
	for text, want := range map[string][2]string{ // of a line, of a text
		"":                      {"required", ""},
		"As it is.":             {"", ""},
		"سلام":                  {"", ""},
		"two\nlines":            {"illegible", ""},
		"two\n  \n\u00a0\nmore": {"illegible", ""},
		"   ":                   {"illegible", ""},
		"a\u202eb":              {"illegible", "illegible"},
		"a\n\u2066b":            {"illegible", "illegible"},
		"ends so\u2028":         {"illegible", "illegible"},
		"\x1b[2J":               {"illegible", "illegible"},
		"\u200b":                {"illegible", "illegible"},
		strings.Repeat("漢", 20): {"", ""},
		strings.Repeat("x", 21): {"too_long", "too_long"},
	} {
		if got := [2]string{code(account.CheckLine("field", text, 20)), code(account.CheckText("field", text, 20))}; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
