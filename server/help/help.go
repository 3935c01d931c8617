// Package help is the help centre: articles in Markdown, shown at /help to anybody, without signing in and without
// JavaScript, since who needs them may have neither; and what readers say about them.
//
// What holds:
//   - Nothing of an article is HTML of its author's: Markdown is rendered here, raw HTML and links that are no links are
//     refused with file and line when the server starts.
//   - All text that somebody typed, a query or a sentence, is escaped by what writes the page (page.go), never by hand.
//   - Reading leaves nothing behind. Whoever answers "Was this helpful?" gets a random cookie of their own, and what is
//     kept of it is a hash of cookie and article together: so one visitor has one vote an article, and yet nobody can
//     tell which votes are of the same person, or who that is.
package help

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/ticket"
	"github.com/secondstep/secondstep/server/web"
)

// Prefix is where the help is.
const Prefix = "/help"

const (
	// A network may search so often a minute, and send so many forms an hour: an office behind one address does not.
	searchesAMinute = 60
	formsAnHour     = 60
	// lettersAnHour bounds the forms of tickets, whose own budgets are in the database: this one spares it wrong keys.
	lettersAnHour = 300
)

// Dependencies are what this room works with.
type Dependencies struct {
	Database *database.Database
	Tickets  *ticket.Tickets
	Folder   string // of the installation's own articles; empty: it has none
	ChatURL  string // where people answer; empty: nowhere
	Now      func() time.Time
	Random   io.Reader
}

// Help is the help centre of one instance.
type Help struct {
	Dependencies

	library  func() *library // from Open on
	api      *web.API
	searches budget
	forms    budget
	letters  budget

	mu   sync.Mutex
	as   web.Look // how the pages that are made look
	made map[form]*web.Document
}

// form is one page in one of its forms.
type form struct {
	locale, slug, said string
	signedIn           bool
}

// New makes the room.
func New(d Dependencies) *Help {
	return &Help{
		Dependencies: d,
		searches:     budget{most: searchesAMinute, within: time.Minute},
		forms:        budget{most: formsAnHour, within: time.Hour},
		letters:      budget{most: lettersAnHour, within: time.Hour},
		made:         map[form]*web.Document{},
	}
}

// Open reads the installation's own articles, and fails with Faults where they are not as they should be. Where it has
// none, the program's are read when somebody first asks for one: most starts are of a command, or see no reader for long.
func (h *Help) Open(api *web.API) error {
	h.api = api
	builtIn := func(name string) bool { return api.File(Prefix + "/" + picturesFolder + "/" + name) }
	if h.Folder == "" {
		h.library = sync.OnceValue(func() *library {
			read, err := load(nil, builtIn)
			if err != nil {
				panic(err) // they are part of the program, and tested
			}
			return read
		})
		return nil
	}
	about, err := os.Stat(h.Folder)
	if err != nil || !about.IsDir() {
		return errors.Join(fmt.Errorf("there is no folder of help articles at %s", h.Folder), err)
	}
	root, err := os.OpenRoot(h.Folder) // which no link inside it leads out of
	if err != nil {
		return fmt.Errorf("help articles in %s: %w", h.Folder, err)
	}
	defer root.Close()
	read, err := load(root.FS(), builtIn)
	if err != nil {
		return fmt.Errorf("help articles in %s: %w", h.Folder, err)
	}
	h.library = func() *library { return read }
	return nil
}

// mails reports whether mail leaves, by which a stranger can be answered.
func (h *Help) mails() bool { return h.Tickets.Mail.Sends() }

// page answers a visit.
func (h *Help) page(ctx context.Context, visit web.Visit) web.Page {
	books := h.library()
	of := books.in(visit.Languages)
	v := &view{help: h, locale: of, look: h.api.LookOf(ctx), signedIn: visit.SignedIn}
	parts := strings.Split(strings.TrimPrefix(visit.Path, "/"), "/")
	switch {
	case visit.Refused != nil:
		return v.refused(visit.Refused.Status)
	case visit.Path == contactPage:
		return h.contact(ctx, visit, v)
	case visit.Path == ticketPage:
		return h.ticketPages(ctx, visit, v)
	case visit.Form != nil:
		return h.form(ctx, visit, v, parts)
	case visit.Path == "" || visit.Path == "/":
		return h.kept(v, "", "")
	case visit.Path == "/search":
		return h.search(visit, v)
	case len(parts) == 2 && parts[0] == picturesFolder && books.pictures[parts[1]] != nil:
		return web.Page{Document: books.pictures[parts[1]]}
	case len(parts) == 1 && of.bySlug[parts[0]] != nil:
		said := visit.Query.Get("said")
		if !answers[said] {
			said = ""
		}
		return h.kept(v, parts[0], said)
	}
	return v.notFound()
}

// kept makes a page that is the same for all who ask so, once.
func (h *Help) kept(v *view, slug, said string) web.Page {
	asked := form{v.locale.name, slug, said, v.signedIn}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.as != v.look { // an administrator has changed it
		clear(h.made)
		h.as = v.look
	}
	if h.made[asked] == nil {
		page := v.index()
		if slug != "" {
			page = v.article(v.locale.bySlug[slug], said)
		}
		document, err := page.document()
		if err != nil {
			return web.Page{Fault: err}
		}
		h.made[asked] = document
	}
	return web.Page{Document: h.made[asked]}
}

func (h *Help) search(visit web.Visit, v *view) web.Page {
	query := strings.Join(strings.Fields(visit.Query.Get("q")), " ")
	if short := []rune(query); len(short) > longestQuery {
		query = string(short[:longestQuery])
	}
	var found []result
	if query != "" {
		if wait := h.searches.spend(visit.Network, h.Now()); wait > 0 {
			return v.slow(wait)
		}
		found = v.locale.find(query)
	}
	return v.results(query, found).page(http.StatusOK)
}
