package totp

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ratio stands where a brand or an address has a colon. An app takes the first colon of a label, escaped or not, for the
// end of the issuer, so "neither issuer nor account name may themselves contain a colon"
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format). U+2236 looks the same, and phones have it.
const ratio = "\u2236"

func display(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), ":", ratio) }

// Issuer is the brand as an app shows it.
func Issuer(brand string) string { return display(brand) }

// Account is the e-mail address as an app shows it. n counts the entries of one person: from the second on it stands
// behind the address, so that one can tell them apart, and so that an app does not replace an entry of the same name.
func Account(email string, n int) string {
	if n > 1 {
		return display(email) + " (" + strconv.Itoa(n) + ")"
	}
	return display(email)
}

// Label is how an app names the entry, and so how we name it: "MailMachine: ada@example.test (2)".
func Label(brand, email string, n int) string { return Issuer(brand) + ": " + Account(email, n) }

// URI is what the QR code holds: the otpauth URI of a secret, in the Key URI format named above. brand and account (as
// Account gives it) may contain anything. Issuer and label are both given, as the format urges; spaces are %20,
// because apps show a + as it is; and the parameters are spelled out, though they are what apps assume.
func URI(brand, account string, secret []byte) string {
	issuer := escape(Issuer(brand))
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
		issuer, escape(display(account)), Typable(secret), issuer, Digits, Period)
}

// escape leaves only the unreserved characters of RFC 3986 as they are, and the @ of an address, which every reader
// takes in a path and in a query.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "%40", "@").Replace(url.QueryEscape(s))
}
