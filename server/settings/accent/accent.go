// Package accent makes the colours of the screens out of one that an administrator chose, and refuses one that people
// could not read.
//
// Pure rules: it knows no other room. frontend/src/screens/settings/accent.ts has the same rules for the preview;
// testdata/colours.json holds both to the same answers.
package accent

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/lucasb-eyer/go-colorful"
)

// What WCAG 2.2 asks for: of text (1.4.3), and of what has to be seen as a shape (1.4.11).
const (
	Text  = 4.5
	Shape = 3.0
)

// ErrColour is for what is no colour as this package takes it.
var ErrColour = errors.New("a colour is written #rrggbb")

// Palette is a colour in the tones that screens need, in the light and in the dark.
type Palette struct{ Light, Dark Tones }

// Tones are the tokens of one theme (frontend/src/tokens.css), each as #rrggbb.
type Tones struct {
	Accent string // of buttons, rings and bars
	Strong string // of links, and of a button that is pointed at
	Soft   string // behind what is marked
	On     string // of text on the accent
}

// Check is one contrast that is asked for.
type Check struct {
	Theme string // "light" or "dark"
	What  string // TextOnAccent or AccentOnPage
	Ratio float64
	Least float64
}

// What is checked.
const (
	TextOnAccent = "text_on_accent"
	AccentOnPage = "accent_on_page"
)

// Passes reports whether the contrast is enough.
func (c Check) Passes() bool { return c.Ratio >= c.Least }

// lch is a colour in OKLCH: lightness, chroma, and hue in degrees.
type lch struct{ l, c, h float64 }

// backgrounds are what the accent is seen on: the tokens page, surface and sunken.
var backgrounds = map[string][]lch{
	"light": {{0.982, 0.003, 260}, {1, 0, 0}, {0.965, 0.004, 260}},
	"dark":  {{0.185, 0.008, 265}, {0.225, 0.009, 265}, {0.205, 0.008, 265}},
}

var written = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// Canonical is the one way in which a colour is written here.
func Canonical(text string) (string, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if !written.MatchString(text) {
		return "", ErrColour
	}
	return text, nil
}

// Of makes the tones of a colour. In the light the colour is itself; in the dark it is as light as the product's own,
// with the same hue: what is read on white can't be read on black.
func Of(colour string) (Palette, error) {
	colour, err := Canonical(colour)
	if err != nil {
		return Palette{}, err
	}
	chosen := parse(colour)
	in := func(l, c float64) string { return lch{l, c, chosen.h}.hex() }
	return Palette{
		Light: Tones{
			Accent: colour, Strong: in(max(chosen.l-0.07, 0), chosen.c),
			Soft: in(0.96, min(chosen.c, 0.02)), On: "#ffffff",
		},
		Dark: Tones{
			Accent: in(0.74, min(chosen.c, 0.13)), Strong: in(0.8, min(chosen.c, 0.11)),
			Soft: in(0.29, min(chosen.c, 0.05)), On: in(0.18, min(chosen.c, 0.03)),
		},
	}, nil
}

// Checks are the contrasts of the palette.
func (p Palette) Checks() []Check {
	var all []Check
	for _, one := range []struct {
		theme string
		tones Tones
	}{{"light", p.Light}, {"dark", p.Dark}} {
		least := math.Inf(1)
		for _, behind := range backgrounds[one.theme] {
			least = min(least, Contrast(one.tones.Accent, behind.hex()))
		}
		all = append(all,
			Check{Theme: one.theme, What: TextOnAccent, Ratio: Contrast(one.tones.On, one.tones.Accent), Least: Text},
			Check{Theme: one.theme, What: AccentOnPage, Ratio: least, Least: Shape})
	}
	return all
}

// Passes reports whether people can read what has this accent.
func (p Palette) Passes() bool {
	for _, check := range p.Checks() {
		if !check.Passes() {
			return false
		}
	}
	return true
}

// Nearest is the colour itself where it passes, else the lightest of its hue that does.
func Nearest(colour string) (string, error) {
	palette, err := Of(colour)
	if err != nil || palette.Passes() {
		return palette.Light.Accent, err
	}
	chosen := parse(palette.Light.Accent)
	passing, low, high := "#000000", 0.0, chosen.l
	for range steps {
		middle := (low + high) / 2
		darker := lch{middle, chosen.c, chosen.h}.hex()
		if palette, err = Of(darker); err != nil {
			return "", err
		}
		if palette.Passes() {
			passing, low = darker, middle
		} else {
			high = middle
		}
	}
	return passing, nil
}

// Stylesheet puts the palette in the place of the product's own, whatever the order in which a page has its stylesheets.
func (p Palette) Stylesheet() []byte {
	var css strings.Builder
	css.WriteString("html:root{")
	for _, token := range []struct{ name, light, dark string }{
		{"accent", p.Light.Accent, p.Dark.Accent},
		{"accent-strong", p.Light.Strong, p.Dark.Strong},
		{"accent-soft", p.Light.Soft, p.Dark.Soft},
		{"on-accent", p.Light.On, p.Dark.On},
	} {
		fmt.Fprintf(&css, "--%s:light-dark(%s,%s);", token.name, token.light, token.dark)
	}
	css.WriteString("}\n")
	return []byte(css.String())
}

// Contrast is that of two colours by WCAG 2.2, from 1 to 21.
func Contrast(one, other string) float64 {
	a, b := luminance(one), luminance(other)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func luminance(colour string) float64 {
	read, err := colorful.Hex(colour)
	if err != nil {
		panic(err) // only ever what this package wrote, or has read
	}
	r, g, b := read.LinearRgb()
	return 0.2126*r + 0.7152*g + 0.0722*b
}

func parse(colour string) lch {
	read, err := colorful.Hex(colour)
	if err != nil {
		panic(err) // as above
	}
	l, c, h := read.OkLch()
	if c < grey {
		c, h = 0, 0
	}
	return lch{l, c, h}
}

const (
	// grey is the chroma below which a hue is a rounding error.
	grey = 0.002
	// steps of a bisection are so many that the last ones are finer than a colour is written.
	steps = 24
)

// hex is the colour as a screen can show it: with as much of its chroma as there is at that lightness.
func (c lch) hex() string {
	shown := colorful.OkLch(c.l, c.c, c.h)
	if !inGamut(shown) {
		low, high := 0.0, c.c
		for range steps {
			middle := (low + high) / 2
			if inGamut(colorful.OkLch(c.l, middle, c.h)) {
				low = middle
			} else {
				high = middle
			}
		}
		shown = colorful.OkLch(c.l, low, c.h)
	}
	return shown.Clamped().Hex()
}

func inGamut(c colorful.Color) bool {
	const slack = 1e-4
	for _, part := range []float64{c.R, c.G, c.B} {
		if part < -slack || part > 1+slack {
			return false
		}
	}
	return true
}
