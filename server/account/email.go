package account

import (
	"errors"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The longest address that mail servers take, in bytes: 254 of all (RFC 5321 section 4.5.3.1.3 less its brackets), 64
// before the @, and 63 of a label of the domain (RFC 1035 section 2.3.4).
const (
	MaxEmail  = 254
	maxLocal  = 64
	maxLabel  = 63
	localMark = "!#$%&'*+/=?^_`{|}~-"
)

var errNotAnEmail = errors.New("not an e-mail address")

// EmailKey is the canonical form of an address, by which it belongs to one person whatever its spelling: without white
// space around it, in compatibility form (NFKC, so full-width letters are ordinary ones) and case-folded. It fails when
// that is no e-mail address.
func EmailKey(s string) (string, error) {
	if len(s) > 4*MaxEmail { // nothing so long comes out short enough; it is not worth folding
		return "", errNotAnEmail
	}
	key := strings.TrimSpace(fold(s))
	if !ValidEmail(key) {
		return "", errNotAnEmail
	}
	return key, nil
}

// fold gives the form in which names, addresses and passwords are compared. Folding can undo the normal form, so that
// is made again (Unicode section 3.13, D146).
func fold(s string) string { return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s))) }

// Folded is a text as it is compared with others.
func Folded(text string) string { return fold(text) }

// ValidEmail says whether s is a single address that mail can be sent to, in at most MaxEmail bytes: a dot-atom of RFC
// 5322, with the letters of any script (RFC 6531), and a domain of one label or more. There is no display name, no quoted
// local part, no comment, no literal address, and nothing around it.
func ValidEmail(s string) bool {
	if len(s) > MaxEmail {
		return false
	}
	local, domain, found := strings.Cut(s, "@")
	if !found || len(local) > maxLocal {
		return false
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !wordy(r) && !strings.ContainsRune(localMark, r) }) {
			return false
		}
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !wordy(r) && r != '-' }) {
			return false
		}
	}
	return true
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) }
