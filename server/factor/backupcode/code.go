package backupcode

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secondstep/secondstep/server/factor/typed"
)

// alphabet is Crockford's Base32: no I, L, O (read as 1, 1, 0) and no U. https://www.crockford.com/base32.html
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	// Symbols is the length of a code: 2 of the selector and 13 of the secret, which is 65 random bits.
	Symbols       = 15
	selectorWidth = 2
	groupWidth    = 5

	// maxTyped is how many bytes somebody may type around the symbols: three for each symbol and separator would be
	// 96; beyond it the text is no code, whatever stands in it.
	maxTyped = 128

	// maxDraws ends a search for a free selector that chance cannot explain: with a set of ten and five older ones
	// kept, fewer than 70 of the 1024 selectors are taken.
	maxDraws = 10_000
)

// Code is one backup code in its canonical form: 15 symbols of Crockford's Base32. The zero Code is none.
type Code struct{ symbols string }

// Selector is the part that is stored plain, 2 symbols: it names the one hash the code is compared with.
func (c Code) Selector() string { return c.symbols[:selectorWidth] }

// Secret is the part that is stored as an argon2id hash only, 13 symbols.
func (c Code) Secret() string { return c.symbols[selectorWidth:] }

// Shown is the code as the person sees it, "XXXXX-XXXXX-XXXXX".
func (c Code) Shown() string {
	return c.symbols[:groupWidth] + "-" + c.symbols[groupWidth:2*groupWidth] + "-" + c.symbols[2*groupWidth:]
}

// String keeps a code out of logs: only Shown gives it away.
func (c Code) String() string { return "backup code" }

// GoString does the same for %#v.
func (c Code) GoString() string { return "backupcode.Code{}" }

// Generate makes a set of n codes, each symbol uniformly random. No selector occurs twice in the set, and none for
// which taken (nil: none) says true, so that a selector names one code of all that are kept for a person. It fails when
// random does, and when it finds no free selector.
func Generate(random io.Reader, taken func(selector string) bool, n int) ([]Code, error) {
	codes := make([]Code, 0, n)
	own := make(map[string]bool, n)
	for draws := 0; len(codes) < n; draws++ {
		if draws == maxDraws {
			return nil, errors.New("no selector is free for another backup code")
		}
		code, err := draw(random)
		if err != nil {
			return nil, err
		}
		selector := code.Selector()
		if own[selector] || taken != nil && taken(selector) {
			continue // the whole code is drawn anew, so that its secret stays independent of its selector
		}
		own[selector] = true
		codes = append(codes, code)
	}
	return codes, nil
}

func draw(random io.Reader) (Code, error) {
	var noise [Symbols]byte
	if _, err := io.ReadFull(random, noise[:]); err != nil {
		return Code{}, fmt.Errorf("random bytes for a backup code: %w", err)
	}
	var symbols [Symbols]byte
	for i, b := range noise {
		symbols[i] = alphabet[b%32] // 32 divides 256: no symbol is likelier than another
	}
	return Code{string(symbols[:])}, nil
}

// Parse reads what somebody typed: white space and dashes of any kind are removed, small letters are capital ones, O is
// read as 0, I and L as 1. What then is not exactly 15 symbols of the alphabet is no code.
func Parse(text string) (Code, bool) {
	if len(text) > maxTyped {
		return Code{}, false
	}
	compact := typed.Compact(text)
	if utf8.RuneCountInString(compact) != Symbols {
		return Code{}, false
	}
	symbols := make([]byte, 0, Symbols)
	for _, r := range compact {
		symbol, ok := read(r)
		if !ok {
			return Code{}, false
		}
		symbols = append(symbols, symbol)
	}
	return Code{string(symbols)}, true
}

func read(r rune) (byte, bool) {
	if r >= 'a' && r <= 'z' {
		r -= 'a' - 'A'
	}
	switch r {
	case 'O':
		return '0', true
	case 'I', 'L':
		return '1', true
	}
	if r > unicode.MaxASCII || strings.IndexByte(alphabet, byte(r)) < 0 {
		return 0, false
	}
	return byte(r), true
}
