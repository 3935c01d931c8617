// Package web is everything between the network and a handler: Fiber and Huma,
// who may call what, strict reading of what is sent, problems as answers, the
// headers of every answer, the pages and the log of requests.
//
// What holds, whatever a handler does:
//   - Register is the only way to add an operation, and it takes an Access.
//     Start fails when anything else has added one.
//   - The checks run before the input is read, in the order written in admit.
//   - What is sent is never in an answer and never in a log, nor is any cookie.
//   - Nothing a handler gets points into Fiber's buffers, so it may keep it.
//   - A client's address is the TCP peer's unless that is a trusted proxy.
//   - No URL or origin is made from a header: the public URL is configured.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

const (
	// bodyLimit is the largest request body in bytes (security.md row 75).
	bodyLimit = 16 << 10
	// formLimit is the same for a form of a page that the server makes: a browser sends up to twelve bytes for a character, and
	// nobody is to be told less than what the page says.
	formLimit = 64 << 10
	// headerLimit is the largest request line with all headers, in bytes.
	headerLimit = 8 << 10

	readTimeout  = 10 * time.Second // a whole request, from its first byte
	writeTimeout = 30 * time.Second // a whole answer
	idleTimeout  = 75 * time.Second // between two requests of a connection
)

// Options is what New needs. All of it is required unless it says otherwise.
type Options struct {
	// PublicURL is where browsers reach us: http or https, a host, no path.
	PublicURL *url.URL
	// LoopbackAliases accepts localhost, 127.0.0.1 and [::1] with the public
	// URL's port as origins too; for a public URL that nobody configured.
	LoopbackAliases bool
	// TrustedProxies may say whom they speak for in X-Forwarded-For. Optional.
	TrustedProxies []netip.Prefix
	// Look is how the installation shows itself now; nil is "Secondstep" in the front end's own colours. It is asked for
	// each page.
	Look func(ctx context.Context) Look
	// Stylesheet is that of a Look.Accent; nil where the colour is none that may be one. Optional.
	Stylesheet func(accent string) []byte
	// Version is sent with every answer. Optional.
	Version string
	// Now is the time of all checks. It may be called by many at once.
	Now func() time.Time
	// Random gives request ids. It may be read by many at once.
	Random io.Reader
	// Logger takes requests (debug), refusals (info), faults (error).
	Logger *slog.Logger
	// FullProofs are the Session.FreshWith that are good for everything; any other
	// one, of a kind that is new too, is refused where such a proof is asked for.
	FullProofs []string
	// Dist is the built front end (frontend/dist), with an index.html. Without
	// one the API is described, and has no pages: OpenAPI works, serving is idle.
	Dist fs.FS
	// Ready says whether we can serve; nil is always ready.
	Ready func(ctx context.Context) error
	// ClockOff is how far the server's clock looks off, minus is behind; zero while nothing looks wrong. Nil is never.
	ClockOff func() time.Duration
	// SetupNeeded says whether there is no administrator yet; nil is never.
	SetupNeeded func(ctx context.Context) bool
	// Mails says whether mail leaves, so that the pages promise none where none does.
	Mails bool
}

// API is the HTTP face: operations are added by Register until Start.
type API struct {
	app     *fiber.App
	schemas huma.Registry // of what operations take

	publicURL      string
	origins        []string
	https          bool
	trustedProxies []netip.Prefix
	version        string
	now            func() time.Time
	random         io.Reader
	logger         *slog.Logger
	ready          func(ctx context.Context) error
	clockOff       func() time.Duration
	setupNeeded    func(ctx context.Context) bool
	fullProofs     []string
	look           func(ctx context.Context) Look
	stylesheet     func(accent string) []byte

	cookies  cookieNames
	browsers *browserLabels
	files    *files
	headers  []header

	auth     Authenticator
	routes   []*route
	pages    []*pages
	faults   []error
	document func() []byte // from Start on
	panics   atomic.Uint64
}

// New makes the face with its own operations (health, time, OpenAPI document)
// and the pages of Dist. It fails when an option is missing or can't be used.
func New(o Options) (*API, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	served, err := readFiles(o.Dist, o.Version, o.Mails)
	if err != nil {
		return nil, err
	}
	a := &API{
		publicURL:      o.PublicURL.Scheme + "://" + o.PublicURL.Host,
		origins:        acceptedOrigins(o.PublicURL, o.LoopbackAliases),
		https:          o.PublicURL.Scheme == "https",
		trustedProxies: o.TrustedProxies,
		version:        o.Version,
		now:            o.Now,
		random:         o.Random,
		logger:         o.Logger,
		ready:          o.Ready,
		clockOff:       o.ClockOff,
		setupNeeded:    o.SetupNeeded,
		look:           o.Look,
		stylesheet:     o.Stylesheet,
		fullProofs:     o.FullProofs,
		browsers:       newBrowserLabels(),
		files:          served,
	}
	a.cookies = namesOfCookies(a.https)
	a.headers = headersOfEveryAnswer(a.https, a.version)
	a.app = fiber.New(fiber.Config{
		AppName:                      "secondstep",
		Immutable:                    true, // row 77
		CaseSensitive:                true,
		StrictRouting:                true,
		BodyLimit:                    bodyLimit,
		ReadBufferSize:               headerLimit,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		DisablePreParseMultipartForm: true,
		DisableStartupMessage:        true,
		ErrorHandler:                 a.unrouted,
	})
	// Around Fiber rather than in it: so it holds for what Fiber answers by
	// itself, and the routes of the app are the operations and nothing else.
	server := a.app.Server()
	route := server.Handler
	server.Handler = func(fctx *requestCtx) { a.serve(fctx, route) }
	server.HeaderReceived = a.limit
	server.SecureErrorLogMessage = true
	server.CloseOnShutdown = true

	a.schemas = huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	a.registerOwn()
	return a, nil
}

func (o Options) check() error {
	switch {
	case o.PublicURL == nil:
		return errors.New("web: no public URL")
	case o.PublicURL.Scheme != "http" && o.PublicURL.Scheme != "https":
		return errors.New("web: the public URL must begin with http:// or https://")
	case o.PublicURL.Host == "" || o.PublicURL.User != nil || strings.Trim(o.PublicURL.Path, "/") != "" || o.PublicURL.RawQuery != "" || o.PublicURL.Fragment != "":
		return errors.New("web: the public URL must be a scheme and a host, such as https://id.example.org, and nothing after it")
	case o.Now == nil || o.Random == nil || o.Logger == nil:
		return errors.New("web: Now, Random and Logger are required")
	}
	return nil
}

// Handler is the Fiber app to serve on a listener (app.Listener) and to shut
// down (app.ShutdownWithContext). Nothing may be added to it.
func (a *API) Handler() *fiber.App { return a.app }

// OpenAPI is the OpenAPI 3.1 document of all operations as JSON, the same that
// GET /api/openapi.json answers.
func (a *API) OpenAPI() []byte {
	if a.document != nil {
		return a.document()
	}
	return a.writeDocument()
}

// Panics is how many panics of handlers were caught so far.
func (a *API) Panics() uint64 { return a.panics.Load() }

// Operation is one line of the matrix of who may call what.
type Operation struct{ Method, Path, Access string }

// Operations lists all operations, by path and method.
func (a *API) Operations() []Operation {
	all := make([]Operation, 0, len(a.routes))
	for _, r := range a.routes {
		all = append(all, Operation{r.method, r.pattern, r.access.String()})
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Path != all[j].Path {
			return all[i].Path < all[j].Path
		}
		return all[i].Method < all[j].Method
	})
	return all
}

// Start ends the registering; from here on requests are served, with auth
// behind the cookies. It fails when an operation has no Access, can't be read
// strictly, or came to the app by another way than Register.
func (a *API) Start(auth Authenticator) error {
	if auth == nil {
		return errors.New("web: no authenticator")
	}
	faults := append([]error(nil), a.faults...)
	declared := make(map[string]bool, len(a.routes))
	for _, r := range a.routes {
		declared[r.method+" "+r.fiberPath()] = true
	}
	for _, r := range a.app.GetRoutes() {
		key := r.Method + " " + r.Path
		if !declared[key] {
			faults = append(faults, fmt.Errorf("web: %s was added twice, or not by web.Register", key))
		}
		declared[key] = false // one route for one declaration
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	// Written when somebody first asks: it takes a tenth of a start, and most servers are never asked.
	a.document = sync.OnceValue(a.writeDocument)
	a.auth = auth
	return nil
}
