package account

import (
	"slices"
	"strings"
	"unicode"

	"github.com/secondstep/secondstep/server/problem"
)

// MaxName is how many characters a person's name may have.
const MaxName = 100

// CheckName says what is wrong with a name; nothing means that it may be stored.
func CheckName(name string) []problem.Field {
	switch trimmed := strings.TrimSpace(name); {
	case trimmed == "":
		return []problem.Field{{Name: "name", Code: "required"}}
	case len([]rune(trimmed)) > MaxName:
		return []problem.Field{{Name: "name", Code: "too_long", Params: map[string]any{"max": MaxName}}}
	case addressed(trimmed):
		return []problem.Field{{Name: "name", Code: "web_address"}}
	default:
		return CheckLegible(trimmed)
	}
}

// addressed reports whether a name holds what mailers make a link of: it would be a stranger's link in our own mail, which
// greets people by name, to an address that need not be theirs.
func addressed(name string) bool {
	plain := fold(name)
	return strings.Contains(plain, "://") || strings.Contains(plain, "www.")
}

// CheckLegible says what is wrong with a name of something, which may be empty: it must show something, and turn no text
// around. Who reads a list of names decides by what it shows.
func CheckLegible(name string) []problem.Field {
	if name == "" || strings.ContainsFunc(name, visible) && !strings.ContainsFunc(name, disturbs) {
		return nil
	}
	return []problem.Field{{Name: "name", Code: "illegible"}}
}

func visible(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) }

// disturbs reports whether a character breaks the line, tells a terminal what to do, or turns the text after it around (Unicode Standard Annex 9, explicit
// directional formatting). The marks that right-to-left names do need, and the joiners of emoji and scripts, are neither.
func disturbs(r rune) bool {
	return unicode.IsControl(r) || slices.Contains([]rune{'\u2028', '\u2029', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'}, r)
}
