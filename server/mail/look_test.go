package mail

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestColoursAreTheProducts holds the colours of mails to the tokens of the screens: mailers know neither OKLCH nor
// custom properties, so the values are written out.
func TestColoursAreTheProducts(t *testing.T) {
	tokens, err := os.ReadFile("../../frontend/src/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(tokens), "var(--accent-h)", "266")
	if !strings.Contains(text, "--accent-h: 266;") {
		t.Fatal("the accent has another hue")
	}
	known := map[string]string{}
	colour := regexp.MustCompile(`oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)`)
	for _, found := range regexp.MustCompile(`--([a-z0-9-]+): light-dark\(([^;]*)\);`).FindAllStringSubmatch(text, -1) {
		for _, one := range colour.FindAllStringSubmatch(found[2], -1) {
			known[hex(t, one[1:])] = found[1]
		}
	}
	used := regexp.MustCompile(`#[0-9a-f]{6}`).FindAllString(looks, -1)
	if len(used) < 15 {
		t.Fatalf("%d colours", len(used))
	}
	for _, one := range used {
		if known[one] == "" {
			t.Errorf("%s is no token of tokens.css: %v", one, known)
		}
	}
}

// hex makes an OKLCH colour one of sRGB (CSS Color 4).
func hex(t *testing.T, lch []string) string {
	t.Helper()
	var n [3]float64
	for i, text := range lch {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		n[i] = value
	}
	sin, cos := math.Sincos(n[2] * math.Pi / 180)
	a, b := n[1]*cos, n[1]*sin
	l := math.Pow(n[0]+0.3963377774*a+0.2158037573*b, 3)
	m := math.Pow(n[0]-0.1055613458*a-0.0638541728*b, 3)
	s := math.Pow(n[0]-0.0894841775*a-1.2914855480*b, 3)
	text := "#"
	for _, linear := range []float64{
		4.0767416621*l - 3.3077115913*m + 0.2309699292*s,
		-1.2684380046*l + 2.6097574011*m - 0.3413193965*s,
		-0.0041960863*l - 0.7034186147*m + 1.7076147010*s,
	} {
		linear = min(1, max(0, linear))
		if linear <= 0.0031308 {
			linear *= 12.92
		} else {
			linear = 1.055*math.Pow(linear, 1/2.4) - 0.055
		}
		text += fmt.Sprintf("%02x", int(math.Round(255*linear)))
	}
	return text
}
