package typed

import "testing"

func TestCompact(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"123456":                   "123456",
		" 123 456\n":               "123456",
		"123\t456\r\n":             "123456",
		"123\u00a0456\u202f":       "123456", // no-break spaces
		"123\u3000456":             "123456", // ideographic space
		"123-456":                  "123456",
		"123‐456‑":                 "123456", // hyphen, non-breaking hyphen
		"–123—456―":                "123456", // en dash, em dash, horizontal bar
		"123−456":                  "123456", // minus sign
		"123\u00ad456":             "123456", // soft hyphen
		"\ufeff123\u200b\u2060456": "123456",
		"１２３－４５６":                  "１２３４５６", // digits stay what they were
		"a_b.c+d":                  "a_b.c+d",
		"a\x00b":                   "a\x00b",
		"\xff-":                    "\uFFFD",
	} {
		if got := Compact(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
