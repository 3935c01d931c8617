package totp

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pquerna/otp"
)

func TestLabel(t *testing.T) {
	for _, c := range []struct {
		brand, email string
		n            int
		want         string
	}{
		{"MailMachine", "ada@example.test", 0, "MailMachine: ada@example.test"},
		{"MailMachine", "ada@example.test", 1, "MailMachine: ada@example.test"},
		{"MailMachine", "ada@example.test", 2, "MailMachine: ada@example.test (2)"},
		{"MailMachine", "ada@example.test", 12, "MailMachine: ada@example.test (12)"},
		{"Mail: Machine", "ada@example.test", 1, "Mail∶ Machine: ada@example.test"},
		{" MailMachine ", " ada@example.test ", 1, "MailMachine: ada@example.test"},
	} {
		if got := Label(c.brand, c.email, c.n); got != c.want {
			t.Errorf("%q", got)
		}
	}
}

func TestURI(t *testing.T) {
	want := "otpauth://totp/ACME%20Co:john.doe@example.test%20%282%29" +
		"?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ACME%20Co&algorithm=SHA1&digits=6&period=30"
	if got := URI("ACME Co", Account("john.doe@example.test", 2), rfcSecret); got != want {
		t.Errorf("%s", got)
	}
}

// shownByAnApp reads a URI as authenticator apps do, by the steps of the Key URI format: the path is unescaped and
// split at its first colon, spaces before the account are dropped, and the issuer parameter must agree with the prefix.
func shownByAnApp(t *testing.T, uri string) string {
	t.Helper()
	scheme, rest, _ := strings.Cut(uri, "://")
	path, query, found := strings.Cut(rest, "?")
	kind, label, _ := strings.Cut(path, "/")
	if scheme != "otpauth" || kind != "totp" || !found || strings.ContainsAny(label, "/#+ ") || strings.ContainsAny(query, "/#+? ") {
		t.Fatalf("not an otpauth URI of one label and one query: %s", uri)
	}
	label, err := url.PathUnescape(label)
	if err != nil {
		t.Fatal(err)
	}
	prefix, account, _ := strings.Cut(label, ":")
	issuer := ""
	for _, pair := range strings.Split(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name == "issuer" {
			if issuer, err = url.PathUnescape(value); err != nil {
				t.Fatal(err)
			}
		}
	}
	if issuer != prefix {
		t.Errorf("issuer %q, prefix %q", issuer, prefix)
	}
	return issuer + ": " + strings.TrimLeft(account, " ")
}

// What an app shows is the label we tell people to look for, whatever the brand and the address are made of.
func TestAppShowsTheLabel(t *testing.T) {
	for _, brand := range []string{
		"MailMachine", "ACME Co", "A/B", "A & B", "Who?", "100 %", "%41", "C++", "a=b", "x#y", "A:B", "A: B", ":", "//", "@home",
		"Büro für Öl", "秘密", "🔑", `"q"`, "a;b,c", " padded ", "(c) [d] {e}", "~-._!*'$",
	} {
		for _, email := range []string{
			"ada@example.test", "ada+tag@example.test", "a&b=c@example.test", "what?/%25@example.test", "a:b@example.test",
			"ädä@exämple.test", "o'neil#1@[IPv6:2001:db8::1]",
		} {
			for n := 1; n <= 2; n++ {
				uri := URI(brand, Account(email, n), rfcSecret)
				want := Label(brand, email, n)
				if got := shownByAnApp(t, uri); got != want {
					t.Errorf("%q, %q: shown as %q, called %q", brand, email, got, want)
				}
				// A second reader, of somebody else's make.
				key, err := otp.NewKeyFromURL(uri)
				if err != nil {
					t.Fatalf("%s: %v", uri, err)
				}
				if key.Issuer()+": "+key.AccountName() != want || key.Secret() != Typable(rfcSecret) ||
					key.Period() != 30 || key.Digits() != otp.DigitsSix || key.Algorithm() != otp.AlgorithmSHA1 || key.Type() != "totp" {
					t.Errorf("%s: read as %q: %q", uri, key.Issuer(), key.AccountName())
				}
				if strings.Count(want, ":") != 1 {
					t.Errorf("%q: an app would split it elsewhere", want)
				}
			}
		}
	}
}
