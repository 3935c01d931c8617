package account

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/secondstep/secondstep/server/problem"
)

func TestPasswordRules(t *testing.T) {
	rules := PasswordRules{Brand: "MailMachine"}
	const (
		short   = `[{"name":"password","code":"password_too_short","params":{"min":12}}]`
		long    = `[{"name":"password","code":"password_too_long","params":{"max":1024}}]`
		often   = `[{"name":"password","code":"password_too_common"}]`
		context = `[{"name":"password","code":"password_contains_context"}]`
		both    = `[{"name":"password","code":"password_too_common"},{"name":"password","code":"password_contains_context"}]`
		fine    = `null`
	)
	for password, want := range map[string]string{
		"":            short,
		"elevenchars": short,
		"Xk3#f9!pQ2m": short,
		"🔑🔒🔐🗝🔏🧷🧲🧿🪬🪩🪅": short, // 11 characters, 44 bytes
		"            ":          often, // nothing is trimmed, but one key twelve times is tried
		strings.Repeat("🔑", 64): fine,
		"🔑🔒🔐🗝🔏🧷🧲🧿🪬🪩🪅🪆":                               fine,
		"correct horse battery":                      fine,
		"correcthorsebatterystap":                    fine,
		" Xk3#f9!pQ2 ":                               fine, // 12 with the blanks, which are part of it
		"Xk3#f9!pQ2mz":                               fine,
		"nur kleine buchstaben":                      fine,
		"8471 3356 9921 0473":                        fine,
		strings.Repeat("Xk3#f9!pQ2mzv7", 73) + "ab":  fine, // 1024 bytes
		strings.Repeat("Xk3#f9!pQ2mzv7", 73) + "abc": long,
		strings.Repeat("é", 513):                     long,
		strings.Repeat("x", 1<<20):                   long,

		"Password1234":         often, // row 10
		"password1234":         often,
		"PASSWORD!!!!!":        often,
		"Password 2026!":       often,
		"P@ssw0rd1234":         often,
		"1234password":         often,
		"!!!monkey2020":        often,
		"Trustno1!!!!":         often, // the list has trustno1
		"tru$tn01_____":        often,
		"iloveyou2024":         often,
		"ｐａｓｓｗｏｒｄ１２３４":         often,
		"m0nk3y!!!!!!":         often,
		"qwertyuiop12":         often,
		"qwertyuiopas":         often,
		"c4rfv5tgb6yh":         often,
		"123456789012":         often,
		"210987654321":         often,
		"abcdefghijklm":        often,
		"mlkjihgfedcba":        often,
		"aaaaaaaaaaaa":         often,
		"121212121212":         often,
		"abc123abc123":         often,
		"abcabcabcabcab":       often,
		"passwordpassword":     often,
		"Password1Password1":   often,
		"Xk3#f9!pXk3#f9!p":     fine, // repeated, but neither short nor common
		"kangaroo-marmalade-9": fine,
		"passworthiness wanes": fine,

		"MailMachine1234":          context, // the product's name
		"mailmachine!":             context,
		"M@ilMach1ne!":             context,
		"Secondstep2026":           context,
		"S3condst3p!!":             context,
		"second-step secondstep":   context,
		"AdaLovelace1":             context,
		"ada.lovelace":             context,
		"Lovelace1815":             both, // a name that many have
		"1815LOVELACE!":            both,
		"analytical99":             context, // the address
		"engine-engine":            context,
		"ada@engine.example":       context,
		"lovelace and nine others": fine, // a word of eight in twenty-four
		"canada maple syrup":       fine, // ada
		"organ.test pipes":         fine,
	} {
		got, err := json.Marshal(rules.Check(password, "Ada Lovelace", "analytical@engine.example"))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%.50q: %s, want %s", password, got, want)
		}
	}
}

// The cases are those of the meter's test too (frontend/src/parts/ownWords.test.ts), which must not praise what is refused.
func TestPasswordOfOwnWords(t *testing.T) {
	raw, err := os.ReadFile("testdata/own_words.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Password, Name, Email, Brand string
		Refused                      bool
	}
	if err := json.Unmarshal(raw, &cases); err != nil || len(cases) == 0 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		got := PasswordRules{Brand: c.Brand}.Check(c.Password, c.Name, c.Email)
		refused := slices.ContainsFunc(got, func(field problem.Field) bool { return field.Code == "password_contains_context" })
		if refused != c.Refused {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// The list as data: sorted, folded, and without entries that would never decide anything.
func TestCommonList(t *testing.T) {
	list := commonList()
	if len(list) < 30_000 {
		t.Errorf("%d entries", len(list))
	}
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Error("not sorted, or not unique: it is searched by halving")
	}
	for _, entry := range list {
		characters := utf8.RuneCountInString(entry)
		if entry != fold(entry) || characters < 4 || characters < MinPassword && !strings.ContainsFunc(entry, unicode.IsLetter) {
			t.Errorf("%q decides nothing", entry)
		}
		if len(entry) > maxListed {
			t.Errorf("%q is never looked up", entry)
		}
		// Whatever is common stays so with digits behind it.
		if !common(entry + "839!") {
			t.Errorf("%q with a tail is let through", entry)
		}
	}
	if len(commonPasswords) > 150_000 {
		t.Errorf("%d bytes embedded", len(commonPasswords))
	}
}
