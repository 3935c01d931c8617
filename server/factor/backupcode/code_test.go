package backupcode

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
)

func TestGenerate(t *testing.T) {
	shown := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$`)
	codes, err := Generate(rand.Reader, nil, 10)
	if err != nil || len(codes) != 10 {
		t.Fatal(len(codes), err)
	}
	selectors := map[string]bool{}
	for _, c := range codes {
		if !shown.MatchString(c.Shown()) {
			t.Errorf("shown as %q", c.Shown())
		}
		if got := c.Selector() + c.Secret(); got != strings.ReplaceAll(c.Shown(), "-", "") || len(c.Selector()) != 2 || len(c.Secret()) != 13 {
			t.Errorf("%q is %q and %q", c.Shown(), c.Selector(), c.Secret())
		}
		selectors[c.Selector()] = true
		if back, ok := Parse(c.Shown()); !ok || back != c {
			t.Errorf("%q is not read back", c.Shown())
		}
		if s := fmt.Sprintf("%v %+v %#v %s", c, c, c, []Code{c}); strings.Contains(s, c.Secret()) {
			t.Errorf("printed as %q", s)
		}
	}
	if len(selectors) != 10 {
		t.Errorf("%d selectors of 10 codes", len(selectors))
	}
}

// With every selector but twenty taken, chance alone would collide: the set must still be unique and avoid them.
func TestSelectorsAreUniqueAndFree(t *testing.T) {
	free := map[string]bool{}
	for i := range 20 {
		free[string([]byte{alphabet[i], alphabet[31-i]})] = true
	}
	taken := func(s string) bool { return !free[s] }
	codes, err := Generate(rand.Reader, taken, 20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range codes {
		if s := c.Selector(); !free[s] || seen[s] {
			t.Errorf("selector %s: free %v, seen %v", s, free[s], seen[s])
		}
		seen[c.Selector()] = true
	}
	if _, err := Generate(rand.Reader, taken, 21); err == nil {
		t.Error("21 codes with 20 free selectors")
	}
}

// Row 18: 10^6 codes, no secret twice, each symbol equally likely at each position.
func TestUniformAtEachPosition(t *testing.T) {
	const n = 1_000_000
	var counts [Symbols][256]int
	seen := make(map[string]struct{}, n)
	for range n / 10 {
		codes, err := Generate(rand.Reader, nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range codes {
			seen[c.symbols] = struct{}{}
			for i := range Symbols {
				counts[i][c.symbols[i]]++
			}
		}
	}
	if len(seen) != n {
		t.Errorf("%d codes drawn, %d different", n, len(seen))
	}
	for i := range Symbols {
		expected, chi := float64(n)/32, 0.0
		for j := range 32 {
			d := float64(counts[i][alphabet[j]]) - expected
			chi += d * d / expected
		}
		// 31 degrees of freedom: mean 31, deviation √62. Eight deviations happen once in some 10^9 runs.
		if chi > 31+8*math.Sqrt(62) {
			t.Errorf("position %d: χ² = %.1f", i, chi)
		}
	}
}

func TestGenerateFailsWithItsRandomness(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Generate(iotest.ErrReader(broken), nil, 1); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := Generate(bytes.NewReader(make([]byte, 14)), nil, 1); err == nil {
		t.Error("a code of 14 random bytes")
	}
}

func TestParse(t *testing.T) {
	const want = "0123456789ABCDE"
	for _, typed := range []string{
		"01234-56789-ABCDE",
		"0123456789ABCDE",
		"01234-56789-abcde",
		"  01234-56789-ABCDE\n",
		"01234 56789 ABCDE",
		"01234\t56789\r\nABCDE",
		"01234\u00a056789\u202fABCDE",                // no-break spaces
		"01234‐56789‑ABCDE",                          // hyphen, non-breaking hyphen
		"01234–56789—ABCDE",                          // en and em dash
		"01234−56789―ABCDE",                          // minus sign, horizontal bar
		"01234\u00ad56789\u200bABCDE\ufeff",          // soft hyphen, zero-width space, BOM
		"01234﹣56789-ABCDE",                          // small and full-width hyphen-minus
		"0-1-2-3-4-5-6-7-8-9-A-B-C-D-E",              // a dash everywhere
		"--01234----56789 - ABCDE--",                 //
		"O1234-56789-ABCDE",                          // O for 0
		"o1234-56789-ABCDE",                          //
		"0I234-56789-ABCDE",                          // I, l, L, i for 1
		"0l234-56789-ABCDE",                          //
		"0L234-56789-ABCDE",                          //
		"0i234-56789-ABCDE",                          //
		strings.Repeat(" ", 100) + "0123456789ABCDE", //
	} {
		code, ok := Parse(typed)
		if !ok || code.symbols != want {
			t.Errorf("%q: %q, %v", typed, code.symbols, ok)
		}
	}
	for _, typed := range []string{
		"",
		"-----",
		"01234-56789-ABCD",
		"01234-56789-ABCDEF",
		"U1234-56789-ABCDE", // U is no symbol
		"01234-56789-ABCD!",
		"01234_56789_ABCDE",
		"01234.56789.ABCDE",
		"01234-56789-ABCDÉ",
		"٠1234-56789-ABCDE",        // an Arabic digit
		"０1234-56789-ABCDE",        // a full-width digit
		"01234-56789-ABCDE\x00",    //
		"01234-56789-ABCDſ",        // long s, whose capital is S
		"01234-56789-ABCD\xff",     // not UTF-8
		"123456",                   //
		strings.Repeat("A", 16),    //
		strings.Repeat("A", 1<<20), //
		strings.Repeat("-", 1<<20), //
		"01234-56789-ABCDE" + strings.Repeat(" ", 200),
	} {
		if code, ok := Parse(typed); ok || code != (Code{}) {
			t.Errorf("%.60q: read as %q", typed, code.symbols)
		}
	}
}
