package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/secondstep/secondstep/server/problem"
)

// files is the built front end. A file is read when somebody first asks for it, and kept.
type files struct {
	byPath map[string]*file // "/assets/main-x.js"
	shell  *shell
}

// facts are what a page tells its script, so that it need not ask: each question
// would cost a request before the first screen shows.
type facts struct {
	setupNeeded bool   // there is no administrator yet
	session     string // what the request came with: sessionNone, sessionLive, sessionOver
}

const (
	sessionNone = "none"
	sessionLive = "live"
	sessionOver = "over" // a cookie whose session has ended
)

// file is one asset, and what it is compressed; nil where it is not. The build leaves the Brotli one alone: the others
// are made of it for the first who takes none, which browsers do only without TLS.
type file struct {
	contentType     string
	immutable       bool   // its name holds a hash of what is in it
	varies          string // by which headers, besides Accept-Encoding
	plain, gzip, br reading
}

type reading func() (*coded, error)

type coded struct {
	content []byte
	etag    string
}

const assetsFolder = "/assets/"

// forever is for what never changes under its name.
const forever = "public, max-age=31536000, immutable"

// readFiles takes all of dist.
func readFiles(dist fs.FS, version string, mails bool) (*files, error) {
	if dist == nil {
		return &files{}, nil
	}
	index, err := fs.ReadFile(dist, "index.html")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the front end is not built into this program: run `make build`")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the front end: %w", err)
	}
	f := &files{byPath: map[string]*file{}}
	if f.shell, err = newShell(string(index), version, mails); err != nil {
		return nil, err
	}
	err = fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") || strings.HasPrefix(name, "index.html") {
			return err
		}
		read := func() ([]byte, error) { return fs.ReadFile(dist, name) }
		if packed, is := strings.CutSuffix(name, ".br"); is {
			one := f.at(packed)
			one.br = once(read, "-br")
			one.plain = once(unpacked(one.br), "")
			one.gzip = once(gzipped(one.br), "-gz")
			return nil
		}
		f.at(name).plain = once(read, "")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the front end: %w", err)
	}
	return f, nil
}

func (f *files) at(name string) *file {
	name = "/" + name
	if f.byPath[name] == nil {
		f.byPath[name] = &file{contentType: contentTypeOf(name), immutable: strings.HasPrefix(name, assetsFolder)}
	}
	return f.byPath[name]
}

func once(read func() ([]byte, error), suffix string) reading {
	return sync.OnceValues(func() (*coded, error) {
		content, err := read()
		if err != nil {
			return nil, fmt.Errorf("reading the front end: %w", err)
		}
		sum := sha256.Sum256(content)
		return &coded{content: content, etag: `"` + hex.EncodeToString(sum[:12]) + suffix + `"`}, nil
	})
}

func unpacked(packed reading) func() ([]byte, error) {
	return func() ([]byte, error) {
		from, err := packed()
		if err != nil {
			return nil, err
		}
		return fasthttp.AppendUnbrotliBytes(nil, from.content)
	}
}

func gzipped(packed reading) func() ([]byte, error) {
	unpack := unpacked(packed) // and not kept: who takes gzip does not ask for the plain one
	return func() ([]byte, error) {
		plain, err := unpack()
		if err != nil {
			return nil, err
		}
		return pack(plain)
	}
}

var titleTag = regexp.MustCompile(`<title>[^<]*</title>`)

// replaceOnce replaces the first match, without any of regexp's own templates:
// a brand may hold a dollar sign.
func replaceOnce(s string, place *regexp.Regexp, with func(parts []string) string) string {
	at := place.FindStringIndex(s)
	if at == nil {
		return s
	}
	return s[:at[0]] + with(place.FindStringSubmatch(s)) + s[at[1]:]
}

// contentTypeOf goes by our own list: the system's differs from host to host.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".webp":
		return "image/webp"
	case ".woff2":
		return "font/woff2"
	case ".wasm":
		return "application/wasm"
	}
	return "application/octet-stream"
}

// servePage answers what is no operation: a file, or the one page, which finds
// its screen by the address.
func (a *API) servePage(fctx *requestCtx, r *request) {
	h := &fctx.Response.Header
	if r.method != http.MethodGet && r.method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		a.answer(fctx, r, methodNotAllowed)
		return
	}
	name := string(fctx.URI().PathOriginal())
	if f := a.files.byPath[name]; f != nil {
		a.serveFile(fctx, r, f)
		return
	}
	if a.serveAccent(fctx, name) {
		return
	}
	if strings.HasPrefix(name, assetsFolder) || strings.HasPrefix(name, accentFolder) || !wantsPage(name, string(fctx.Request.Header.Peek("Accept"))) {
		a.answer(fctx, r, notFound)
		return
	}
	state := facts{session: a.sessionState(r, fctx)}
	if a.setupNeeded != nil {
		state.setupNeeded = a.setupNeeded(r)
	}
	page, err := a.files.shell.of(a.LookOf(r), state)
	if err != nil {
		a.answer(fctx, r, problem.Fault(err))
		return
	}
	if mayUseCamera(name) {
		h.Set(permissionsPolicy, "camera=(self), "+deniedElsewhere)
	}
	h.Set("Cache-Control", "no-store")
	h.SetContentType("text/html; charset=utf-8")
	fctx.Response.SetBody(page)
}

// sessionState is only told to the script, which asks for the session itself where
// it may be there: so where it can't be read it is said to be.
func (a *API) sessionState(r *request, fctx *requestCtx) string {
	raw, sent := token(fctx, a.cookies.session)
	if !sent || a.auth == nil {
		return sessionNone
	}
	if raw == nil {
		return sessionOver
	}
	found, err := a.auth.Session(r, raw)
	if err == nil && found == nil {
		return sessionOver
	}
	return sessionLive
}

// wantsPage tells somebody who opens an address from a page that misses a file:
// only the first asks for HTML.
func wantsPage(name, accept string) bool {
	if accept == "" || strings.Contains(accept, "text/html") {
		return true
	}
	return strings.Contains(accept, "*/*") && path.Ext(name) == ""
}

func (a *API) serveFile(fctx *requestCtx, r *request, f *file) {
	h := &fctx.Response.Header
	read, coding := f.plain, ""
	accepted := string(fctx.Request.Header.Peek("Accept-Encoding"))
	switch {
	case f.br != nil && acceptsCoding(accepted, "br"):
		read, coding = f.br, "br"
	case f.gzip != nil && acceptsCoding(accepted, "gzip"):
		read, coding = f.gzip, "gzip"
	}
	sent, err := read()
	if err != nil {
		a.answer(fctx, r, problem.Fault(err))
		return
	}
	if f.br != nil || f.gzip != nil {
		h.Set("Vary", "Accept-Encoding")
	}
	if f.varies != "" {
		h.Add("Vary", f.varies)
	}
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	if f.immutable {
		h.Set("Cache-Control", forever)
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("ETag", sent.etag)
	h.SetContentType(f.contentType)
	if listed(string(fctx.Request.Header.Peek("If-None-Match")), sent.etag) {
		h.Del("Content-Encoding")
		fctx.Response.SetStatusCode(http.StatusNotModified)
		return
	}
	fctx.Response.SetBodyRaw(sent.content)
}

// acceptsCoding reads Accept-Encoding (RFC 9110, 12.5.3): named, and not with
// q=0. A mere * is not taken for a yes.
func acceptsCoding(accepted, coding string) bool {
	for one := range strings.SplitSeq(accepted, ",") {
		name, parameter, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.TrimSpace(name) != coding {
			continue
		}
		q, found := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
		if !found {
			return true
		}
		weight, err := strconv.ParseFloat(q, 64)
		return err == nil && weight > 0
	}
	return false
}

// listed says whether a header's comma-separated list holds what.
func listed(list, what string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(one) == what {
			return true
		}
	}
	return false
}
