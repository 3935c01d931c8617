package web

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/secondstep/secondstep/server/problem"
)

// Visit is a request for a page that the server makes itself, without the front end's script.
type Visit struct {
	Client
	// Path is what comes after the prefix: "" or it begins with a slash. It is as it was sent, escapes and all.
	Path  string
	Query url.Values
	// Form is what a form sent, each field once; nil where none did.
	Form url.Values
	// Languages is the Accept-Language that was sent.
	Languages string
	// SignedIn says that the browser has the cookie of a session. What it is worth nobody has looked at.
	SignedIn bool
	// Who looks up who that is, for a page that has to know; a Caller without a session is nobody.
	Who func() (Caller, error)
	// Visitor is the token of the visitor's cookie (API.VisitorCookie), nil without one.
	Visitor []byte
	// Refused is why nothing may be done, such as a form from another site: all that is left is to say so.
	Refused *problem.Problem
}

// Page is the answer to a Visit.
type Page struct {
	Status   int // 200 where it is 0
	Document *Document
	// See is where a form leads when it is done with: a path of ours. There is no document then.
	See string
	// Private is for this reader alone: no browser and nothing between keeps it.
	Private bool
	// Cookies go with it.
	Cookies []http.Cookie
	// RetryAfter, where it is not zero, is when it is worth trying again.
	RetryAfter time.Duration
	// Fault is what went wrong on our side: it is logged, and answered as any other fault.
	Fault error
}

// Document is a page or a file in the forms in which it is sent, each made when it is first asked for, and once.
type Document struct{ file *file }

// NewDocument makes one. Pictures are packed by themselves, and are sent as they are.
func NewDocument(contentType string, content []byte) *Document {
	f := &file{contentType: contentType, varies: "Cookie, Accept-Language"}
	f.plain = once(func() ([]byte, error) { return content, nil }, "")
	if strings.HasPrefix(contentType, "text/") {
		f.gzip = once(func() ([]byte, error) { return pack(content) }, "-gz")
	}
	return &Document{f}
}

// NewPicture makes one of a picture's file; false where its name is that of no picture we serve.
func NewPicture(name string, content []byte) (*Document, bool) {
	switch path.Ext(name) {
	case ".png", ".webp", ".jpg":
		return NewDocument(contentTypeOf(name), content), true
	}
	return nil, false
}

func pack(content []byte) ([]byte, error) {
	var packed bytes.Buffer
	to, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := to.Write(content); err != nil {
		return nil, err
	}
	if err := to.Close(); err != nil { // which writes the rest
		return nil, err
	}
	return packed.Bytes(), nil
}

// pages are all addresses at and below a prefix.
type pages struct {
	prefix string
	answer func(ctx context.Context, visit Visit) Page
}

// RegisterPages adds pages that the server makes itself: all addresses at and below a prefix such as "/help", by GET, and
// by POST for forms. They are anybody's, as the front end's own page is: nothing here asks who is signed in. A form from
// another site comes as a refused visit.
func RegisterPages(api *API, prefix string, answer func(ctx context.Context, visit Visit) Page) {
	switch {
	case api.auth != nil:
		api.faults = append(api.faults, fmt.Errorf("web: the pages of %s come after Start", prefix))
	case servedByOperation(prefix):
		api.faults = append(api.faults, fmt.Errorf("web: the pages of %s lie where operations are", prefix))
	default:
		api.pages = append(api.pages, &pages{prefix: prefix, answer: answer})
	}
}

// Asset is the address of a file of the front end by its name before the build put a hash into it, such as "help.css";
// empty where there is none.
func (a *API) Asset(name string) string {
	extension := path.Ext(name)
	for address := range a.files.byPath {
		rest, found := strings.CutPrefix(address, assetsFolder+strings.TrimSuffix(name, extension)+"-")
		if hash, ends := strings.CutSuffix(rest, extension); found && ends && !strings.Contains(hash, ".") {
			return address
		}
	}
	return ""
}

// File says whether the front end has a file at that address.
func (a *API) File(address string) bool { return a.files.byPath[address] != nil }

// pagesAt finds who makes the page at an address; nil where it is the front end's.
func (a *API) pagesAt(address string) *pages {
	if a.files.byPath[address] != nil {
		return nil
	}
	for _, p := range a.pages {
		if rest, found := strings.CutPrefix(address, p.prefix); found && (rest == "" || rest[0] == '/') {
			return p
		}
	}
	return nil
}

// limit lets the forms of pages be larger than what operations take.
func (a *API) limit(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	address, _, _ := strings.Cut(string(header.RequestURI()), "?")
	if a.pagesAt(address) == nil {
		return fasthttp.RequestConfig{} // the server's own
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: formLimit}
}

// serveOwn answers with a page that the server makes.
func (a *API) serveOwn(fctx *requestCtx, r *request, p *pages) {
	h := &fctx.Response.Header
	if r.method != http.MethodGet && r.method != http.MethodHead && r.method != http.MethodPost {
		h.Set("Allow", "GET, HEAD, POST")
		a.answer(fctx, r, methodNotAllowed)
		return
	}
	r.route = &route{method: r.method, pattern: p.prefix}
	page := p.answer(r, a.visit(fctx, r, p))
	if page.Fault != nil {
		a.answer(fctx, r, problem.Fault(page.Fault))
		return
	}
	for i := range page.Cookies {
		h.Add("Set-Cookie", page.Cookies[i].String())
	}
	if page.RetryAfter > 0 {
		h.Set("Retry-After", fmt.Sprint(problem.Fault(nil).After(page.RetryAfter).RetryAfterSeconds()))
	}
	if page.See != "" {
		h.Set("Location", page.See)
		h.Set("Cache-Control", "no-store")
		fctx.Response.SetStatusCode(http.StatusSeeOther)
		return
	}
	a.serveFile(fctx, r, page.Document.file)
	if page.Private || page.Status != 0 && page.Status != http.StatusOK {
		h.Del("ETag")
		h.Set("Cache-Control", "no-store")
		fctx.Response.SetStatusCode(cmp.Or(page.Status, http.StatusOK))
	}
}

// visit reads what a page may need to know.
func (a *API) visit(fctx *requestCtx, r *request, p *pages) Visit {
	v := Visit{
		Path:      strings.TrimPrefix(string(fctx.URI().PathOriginal()), p.prefix),
		Languages: string(fctx.Request.Header.Peek("Accept-Language")),
	}
	r.caller.Client = a.client(r, fctx)
	v.Client = r.caller.Client
	session, _ := token(fctx, a.cookies.session)
	v.SignedIn = session != nil
	v.Who = func() (Caller, error) {
		if refusal := a.admitAnybody(r, fctx, Visitor); refusal != nil {
			return Caller{}, refusal
		}
		return r.caller, nil
	}
	v.Visitor, _ = token(fctx, a.cookies.visitor)
	var ok bool
	if v.Query, ok = fields(string(fctx.URI().QueryString())); !ok {
		v.Refused = malformedRequest
	}
	if r.method != http.MethodPost {
		return v
	}
	if !a.sameSite(fctx) && !ownForm(fctx, a) {
		v.Refused = a.crossSiteRefusal()
		return v
	}
	kind, _, _ := strings.Cut(string(fctx.Request.Header.ContentType()), ";")
	if v.Form, ok = fields(string(fctx.PostBody())); !ok || kind != "application/x-www-form-urlencoded" {
		v.Form, v.Refused = url.Values{}, malformedRequest
	}
	return v
}

// ownForm takes a form of a page of ours for what it is: as our pages tell nobody where somebody came from, browsers send
// it with the origin "null" (Fetch, "append a request Origin header"). That it is ours anyway is told by Sec-Fetch-Site,
// which no page can set.
func ownForm(fctx *requestCtx, a *API) bool {
	sites := fctx.Request.Header.PeekAll("Sec-Fetch-Site")
	for _, site := range sites {
		if string(site) != "same-origin" {
			return false
		}
	}
	for _, sent := range fctx.Request.Header.PeekAll("Origin") {
		if string(sent) != "null" && !a.acceptsOrigin(string(sent)) {
			return false
		}
	}
	return len(sites) > 0
}

// fields reads what a query or a form says: each field once, and nothing but text in it, which may have lines.
func fields(encoded string) (url.Values, bool) {
	read, err := url.ParseQuery(encoded)
	if err != nil {
		return url.Values{}, false
	}
	for name, values := range read {
		if len(values) != 1 || !cleanText(name) || !cleanText(strings.NewReplacer("\r", "", "\n", "", "\t", "").Replace(values[0])) {
			return url.Values{}, false
		}
	}
	return read, true
}
