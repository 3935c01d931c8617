// Package typed has the one rule for what stands around a code that a person types or pastes, so that the codes of apps
// and backup codes are read alike.
package typed

import (
	"strings"
	"unicode"
)

// Compact removes white space and dashes, wherever they stand. Phones turn a hyphen into other dashes while one types,
// and copying brings soft hyphens, minus signs and spaces of no width along; those go as well. Nothing else changes.
func Compact(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u2212', '\u00ad', '\u200b', '\u2060', '\ufeff': // minus, soft hyphen, zero-width space, word joiner, BOM
			return -1
		}
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, s)
}
