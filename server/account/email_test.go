package account

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestEmailKey(t *testing.T) {
	for want, spellings := range map[string][]string{
		"bob@x.org": {
			"bob@x.org", "Bob@X.org", " bob@x.org ", "BOB@X.ORG", "\tbob@x.org\n", "\u00a0bob@x.org\u3000",
			"ｂｏｂ@x.org", "ＢＯＢ＠Ｘ．ＯＲＧ", "ⓑⓞⓑ@x.org", "𝐁𝐨𝐛@x.org",
		},
		"ada+tag@example.test": {"Ada+Tag@Example.TEST"},
		"jürgen@exämple.test":  {"JÜRGEN@EXÄMPLE.test", "ju\u0308rgen@exa\u0308mple.test"},
		"strasse@x.org":        {"straße@x.org", "STRASSE@x.org", "STRAẞE@x.org"},
		"root@localhost":       {"Root@LocalHost"},
	} {
		for _, s := range spellings {
			if got, err := EmailKey(s); err != nil || got != want {
				t.Errorf("%q: %q, %v", s, got, err)
			}
		}
	}
	final, err := EmailKey("ΣΊΣΥΦΟΣ@x.gr")
	if small, err2 := EmailKey("σίσυφος@x.gr"); err != nil || err2 != nil || small != final {
		t.Errorf("final sigma: %q, %q", final, small)
	}
	for _, s := range []string{"", " ", "bob", "bob@", "@x.org", "bob@x.org, eve@x.org", "bob＠x@org", strings.Repeat("ﷺ", 1<<20)} {
		if got, err := EmailKey(s); err == nil {
			t.Errorf("%.40q: %q", s, got)
		}
	}
}

// A key is the key of itself: what is stored finds itself again.
func TestEmailKeyIsStable(t *testing.T) {
	for _, s := range []string{"Bob@X.org", "straße@x.org", "ＢＯＢ＠Ｘ．ＯＲＧ", "ΣΊΣΥΦΟΣ@x.gr", "İstanbul@x.tr", "ﬀ@x.org", "ǰ@x.org"} {
		once, err := EmailKey(s)
		if err != nil {
			t.Fatal(s, err)
		}
		if !norm.NFKC.IsNormalString(once) {
			t.Errorf("%q: %q is not in normal form", s, once)
		}
		if twice, err := EmailKey(once); err != nil || twice != once {
			t.Errorf("%q: %q, then %q, %v", s, once, twice, err)
		}
	}
}

func TestValidEmail(t *testing.T) {
	longLocal := strings.Repeat("a", 64)
	label := strings.Repeat("d", 63)
	for _, s := range []string{
		"ada@example.test", "a@b", "root@localhost", "ada.lovelace+tag@mail.example.test", "o'neil@x.org", "1@2", "_@x",
		"!#$%&'*+/=?^_`{|}~-@x.org", "ädä@exämple.test", "用户@例子.测试", "a@xn--exmple-cua.test", "a@b-c.d", "हिन्दी@x.org",
		longLocal + "@x.org", longLocal + "@" + label + "." + label + "." + strings.Repeat("e", 61),
	} {
		if !ValidEmail(s) {
			t.Errorf("%q (%d bytes) is refused", s, len(s))
		}
	}
	for _, s := range []string{
		"", "@", "ada", "ada@", "@example.test", "ada@@example.test", "ada@b@c", " ada@example.test", "ada@example.test ",
		"ada@exam ple.test", "ada lovelace@example.test", "Ada <ada@example.test>", "<ada@example.test>", "ada@x.org,bob@x.org",
		"ada@x.org;bob@x.org", "ada@x.org bob@x.org", ".ada@x.org", "ada.@x.org", "a..b@x.org", "ada@.x.org", "ada@x.org.",
		"ada@x..org", "ada@-x.org", "ada@x-.org", "ada@x_y.org", `"ada"@x.org`, "ada(comment)@x.org", "ada@[127.0.0.1]",
		"mailto:ada@x.org", "ada\x00@x.org", "ada@x.org\n", "ada\r\nBcc: eve@x.org", "ada\u200b@x.org", "ada\u202e@x.org",
		"ada\u00a0@x.org", "ada\xff@x.org", "ada@💌.org", longLocal + "a@x.org", "a@" + label + "d.org",
		longLocal + "@" + label + "." + label + "." + strings.Repeat("e", 62),
	} {
		if ValidEmail(s) {
			t.Errorf("%q (%d bytes) is accepted", s, len(s))
		}
	}
}
