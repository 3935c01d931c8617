package accent_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"testing"

	"github.com/secondstep/secondstep/server/settings/accent"
)

// colours are what this package and the front end's own rules answer alike.
type colour struct {
	Colour       string  `json:"colour"`
	Passes       bool    `json:"passes"`
	TextOnAccent float64 `json:"text_on_accent"`
	AccentOnPage float64 `json:"accent_on_page"`
	Nearest      string  `json:"nearest"`
	Dark         string  `json:"dark"`
}

func TestColours(t *testing.T) {
	raw, err := os.ReadFile("testdata/colours.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []colour
	if err := json.Unmarshal(raw, &table); err != nil || len(table) < 12 {
		t.Fatalf("%d rows: %v", len(table), err)
	}
	for _, want := range table {
		t.Run(want.Colour, func(t *testing.T) {
			palette, err := accent.Of(want.Colour)
			if err != nil {
				t.Fatal(err)
			}
			checks := palette.Checks()
			if math.Abs(checks[0].Ratio-want.TextOnAccent) > 0.01 || math.Abs(checks[1].Ratio-want.AccentOnPage) > 0.01 {
				t.Errorf("contrasts %+v", checks)
			}
			nearest, err := accent.Nearest(want.Colour)
			if err != nil || nearest != want.Nearest || palette.Passes() != want.Passes || palette.Dark.Accent != want.Dark {
				t.Errorf("nearest %s (%v), passes %v, dark %s", nearest, err, palette.Passes(), palette.Dark.Accent)
			}
		})
	}
}

// TestWhateverIsOfferedCanBeRead goes through colours of every hue: the nearest one passes, links can be read on the page
// and on what is marked, and in the dark nothing depends on what was chosen.
func TestWhateverIsOfferedCanBeRead(t *testing.T) {
	for r := 0; r <= 255; r += 51 {
		for g := 0; g <= 255; g += 51 {
			for b := 0; b <= 255; b += 51 {
				chosen := fmt.Sprintf("#%02x%02x%02x", r, g, b)
				nearest, err := accent.Nearest(chosen)
				if err != nil {
					t.Fatal(err)
				}
				palette, err := accent.Of(nearest)
				if err != nil || !palette.Passes() {
					t.Fatalf("%s: %s does not pass: %+v, %v", chosen, nearest, palette.Checks(), err)
				}
				for _, tones := range []accent.Tones{palette.Light, palette.Dark} {
					if got := accent.Contrast(tones.Strong, tones.Soft); got < accent.Text {
						t.Errorf("%s: a link on what is marked has %.2f", nearest, got)
					}
					if got := accent.Contrast(tones.Strong, tones.On); got < accent.Text {
						t.Errorf("%s: a button that is pointed at has %.2f", nearest, got)
					}
				}
			}
		}
	}
}

func TestWhatIsNoColour(t *testing.T) {
	for _, text := range []string{"", "red", "#fff", "#12345", "#1234567", "#12345g", "123456", "#123456;}", "light-dark(#000,#fff)"} {
		if _, err := accent.Of(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if colour, err := accent.Canonical(" #0A7A55 "); err != nil || colour != "#0a7a55" {
		t.Errorf("%q, %v", colour, err)
	}
}

// TestBackgroundsAreTheScreens holds what is reckoned with to what screens have.
func TestBackgroundsAreTheScreens(t *testing.T) {
	tokens, err := os.ReadFile("../../../frontend/src/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"page":    `oklch\(0\.982 0\.003 260\), oklch\(0\.185 0\.008 265\)`,
		"surface": `oklch\(1 0 0\), oklch\(0\.225 0\.009 265\)`,
		"sunken":  `oklch\(0\.965 0\.004 260\), oklch\(0\.205 0\.008 265\)`,
	} {
		if !regexp.MustCompile(`--` + name + `: light-dark\(` + value + `\);`).Match(tokens) {
			t.Errorf("tokens.css has another --%s than accent.go", name)
		}
	}
}

func TestStylesheet(t *testing.T) {
	palette, err := accent.Of("#0a7a55")
	if err != nil {
		t.Fatal(err)
	}
	const want = "html:root{--accent:light-dark(#0a7a55,#63c097);--accent-strong:light-dark(#006444,#77d4aa);" +
		"--accent-soft:light-dark(#e6f6ee,#0f3324);--on-accent:light-dark(#ffffff,#04160e);}\n"
	if got := string(palette.Stylesheet()); got != want {
		t.Errorf("got %s", got)
	}
}
