package totp

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
)

// The secret of both RFCs' test vectors.
var rfcSecret = []byte("12345678901234567890")

// RFC 6238 appendix B, the SHA-1 rows; six digits are the last six of eight.
func TestRFC6238(t *testing.T) {
	for _, c := range []struct {
		seconds int64
		step    int64
		eight   string
	}{
		{59, 0x1, "94287082"},
		{1111111109, 0x23523EC, "07081804"},
		{1111111111, 0x23523ED, "14050471"},
		{1234567890, 0x273EF07, "89005924"},
		{2000000000, 0x3F940AA, "69279037"},
		{20000000000, 0x27BC86AA, "65353130"},
	} {
		step := Step(time.Unix(c.seconds, 0))
		if step != c.step {
			t.Errorf("%d: step %#x", c.seconds, step)
		}
		if got := Code(rfcSecret, step); got != c.eight[2:] {
			t.Errorf("%d: code %s", c.seconds, got)
		}
	}
}

// RFC 4226 appendix D.
func TestRFC4226(t *testing.T) {
	for counter, want := range []string{
		"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		if got := Code(rfcSecret, int64(counter)); got != want {
			t.Errorf("%d: %s", counter, got)
		}
	}
}

func TestStep(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want int64
	}{
		{time.Unix(0, 0), 0},
		{time.Unix(29, 999_999_999), 0},
		{time.Unix(30, 0), 1},
		{time.Unix(-1, 0), -1},
		{time.Unix(-30, 0), -1},
		{time.Unix(-31, 0), -2},
		{time.Date(2026, 3, 1, 12, 0, 29, 999_000_000, time.FixedZone("", 3600*5+1800)), 59078220},
	} {
		if got := Step(c.at); got != c.want {
			t.Errorf("%v: %d", c.at, got)
		}
		if begin := Begin(c.want); begin.After(c.at) || !begin.Add(Period*time.Second).After(c.at) || Step(begin) != c.want {
			t.Errorf("%v: step %d begins %v", c.at, c.want, begin)
		}
	}
}

func TestMatch(t *testing.T) {
	const step = 59_079_139
	for d := int64(-3); d <= 3; d++ {
		code := Code(rfcSecret, step+d)
		got := Match(rfcSecret, code, step-1, step+1)
		if inside := d >= -1 && d <= 1; inside != slices.Equal(got, []int64{step + d}) || !inside && got != nil {
			t.Errorf("step %+d: %v", d, got)
		}
		if got := Match(rfcSecret, code, step, step); (d == 0) != (len(got) == 1) {
			t.Errorf("step %+d, no window: %v", d, got)
		}
		if got := Match([]byte("another secret of it"), code, step-1, step+1); got != nil {
			t.Errorf("step %+d, another secret: %v", d, got)
		}
	}
	for _, code := range []string{"", "12345a", "-12345", Code(rfcSecret, step)[:5], Code(rfcSecret, step) + "0", " " + Code(rfcSecret, step)} {
		if got := Match(rfcSecret, code, step-1, step+1); got != nil {
			t.Errorf("%q: %v", code, got)
		}
	}
	if got := Match(rfcSecret, Code(rfcSecret, step), step+1, step-1); got != nil {
		t.Errorf("no steps at all: %v", got)
	}
}

// Match computes codes by a way of its own: it must agree with Code everywhere, whatever the secret.
func TestMatchAgreesWithCode(t *testing.T) {
	for _, length := range []int{1, 10, SecretBytes, 63, 64, 65, 200} {
		for range 20 {
			secret := make([]byte, length)
			rand.Read(secret)
			var noise [8]byte
			rand.Read(noise[:])
			first := int64(binary.BigEndian.Uint64(noise[:])>>16) - 1<<46
			for step := first; step < first+50; step++ {
				if got := Match(secret, Code(secret, step), step, step); !slices.Equal(got, []int64{step}) {
					t.Fatalf("%x at step %d: %s is not matched", secret, step, Code(secret, step))
				}
			}
		}
	}
}

// All steps with the code are given: within a long stretch codes do repeat.
func TestMatchGivesAllSteps(t *testing.T) {
	const n = 5_000
	at := map[string][]int64{}
	for step := range int64(n) {
		code := Code(rfcSecret, step)
		at[code] = append(at[code], step)
	}
	twice := 0
	for code, steps := range at {
		if len(steps) > 1 {
			twice++
			if got := Match(rfcSecret, code, 0, n-1); !slices.Equal(got, steps) {
				t.Errorf("%s: %v, not %v", code, got, steps)
			}
		}
	}
	if twice == 0 {
		t.Error("no code of the stretch repeats: a longer one is needed")
	}
}

func TestShape(t *testing.T) {
	for _, text := range []string{
		"123456", " 123456", "123456\n", "123 456", "123-456", "12 34 56", "123\u00a0456", "123–456", "123−456",
		"\u200b123\u202f456\ufeff", "1-2-3-4-5-6",
	} {
		if code, ok := Shape(text); !ok || code != "123456" {
			t.Errorf("%q: %q, %v", text, code, ok)
		}
	}
	for _, text := range []string{
		"", "      ", "12345", "1234567", "12345a", "abcdef", "12345O", "1234.6", "+12345", "12345:", "12345/", "12345\x00", "0x1234",
		"١٢٣٤٥٦",    // Arabic digits
		"１２３４５６",    // full-width digits
		"12345６",    //
		"12345\x80", // not UTF-8
		"1,2,3,4,5,6",
		strings.Repeat("1", 1<<20),
		"123456" + strings.Repeat(" ", 1<<20),
	} {
		if code, ok := Shape(text); ok || code != "" {
			t.Errorf("%.40q: %q, %v", text, code, ok)
		}
	}
}
