package web

import (
	"context"
	"errors"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
)

// Look is how an installation shows itself.
type Look struct {
	// Brand is the product's name as people see it.
	Brand string
	// Accent is the colour that stands in the place of the front end's own, as #rrggbb; empty: that one stays.
	Accent string
}

// accentFolder is where stylesheets of accents are. The colour is in the name: so what is there never changes, and every
// instance has it, whatever it knows of the settings.
const accentFolder = "/accent/"

// shell is index.html, for what differs from request to request, with the look of now.
type shell struct {
	template string // with what never changes filled in: the version, and whether mail leaves
	filled   atomic.Pointer[filled]
}

// filled is the page in one look, for each state of the facts.
type filled struct {
	look    Look
	byFacts map[facts][]byte
}

// newShell fails where the page has no place for what is filled in.
func newShell(page, version string, mails bool) (*shell, error) {
	page, err := fillMeta(page, "secondstep-version", version)
	if err != nil {
		return nil, err
	}
	if page, err = fillMeta(page, "secondstep-mails", strconv.FormatBool(mails)); err != nil {
		return nil, err
	}
	made := &shell{template: page}
	_, err = made.fill(Look{})
	return made, err
}

// of is the page in a look: made anew when the look has changed, which is seldom.
func (s *shell) of(look Look, state facts) ([]byte, error) {
	now := s.filled.Load()
	if now == nil || now.look != look {
		var err error
		if now, err = s.fill(look); err != nil {
			return nil, err
		}
		s.filled.Store(now)
	}
	return now.byFacts[state], nil
}

func (s *shell) fill(look Look) (*filled, error) {
	accent := ""
	if look.Accent != "" {
		// A browser shows nothing before it has the stylesheets of the head: so nothing flashes in another colour.
		accent = `<link rel="stylesheet" id="accent-sheet" href="` + html.EscapeString(accentPath(look.Accent)) + `">`
	}
	page := replaceOnce(s.template, titleTag, func([]string) string {
		return "<title>" + html.EscapeString(look.Brand) + "</title>" + accent
	})
	page, err := fillMeta(page, "secondstep-brand", look.Brand)
	if err != nil {
		return nil, err
	}
	made := &filled{look: look, byFacts: map[facts][]byte{}}
	for _, session := range []string{sessionNone, sessionLive, sessionOver} {
		told, err := fillMeta(page, "secondstep-session", session)
		if err != nil {
			return nil, err
		}
		for _, needed := range []bool{false, true} {
			whole, err := fillMeta(told, "secondstep-setup-needed", strconv.FormatBool(needed))
			if err != nil {
				return nil, err
			}
			made.byFacts[facts{setupNeeded: needed, session: session}] = []byte(whole)
		}
	}
	return made, nil
}

func fillMeta(page, meta, value string) (string, error) {
	place := regexp.MustCompile(`(<meta\s+name="` + meta + `"\s+content=")[^"]*(")`)
	if !place.MatchString(page) {
		return "", errors.New("the front end built into this program has no place for " + meta + ": run `make build`")
	}
	return replaceOnce(page, place, func(parts []string) string {
		return parts[1] + html.EscapeString(value) + parts[2]
	}), nil
}

func accentPath(accent string) string { return accentFolder + strings.TrimPrefix(accent, "#") + ".css" }

// serveAccent answers the stylesheet of an accent; false where the address is not one's.
func (a *API) serveAccent(fctx *requestCtx, name string) bool {
	colour, found := strings.CutSuffix(strings.TrimPrefix(name, accentFolder), ".css")
	if !found || a.stylesheet == nil || accentPath("#"+colour) != name {
		return false
	}
	css := a.stylesheet("#" + colour)
	if css == nil {
		return false
	}
	h := &fctx.Response.Header
	h.Set("Cache-Control", forever)
	h.SetContentType("text/css; charset=utf-8")
	fctx.Response.SetStatusCode(http.StatusOK)
	fctx.Response.SetBodyRaw(css)
	return true
}

// AccentSheet is the address of the stylesheet of a look; empty where its colour is the front end's own.
func AccentSheet(look Look) string {
	if look.Accent == "" {
		return ""
	}
	return accentPath(look.Accent)
}

// LookOf is the look of now; the product's own where nobody says.
func (a *API) LookOf(ctx context.Context) Look {
	if a.look == nil {
		return Look{Brand: "Secondstep"}
	}
	return a.look(ctx)
}
