package web

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
)

// request is one request on its way, and the context of its handler. It is
// made anew each time and holds nothing of Fiber's, so a handler may keep it.
type request struct {
	context.Context
	id      string
	method  string // one of ours, "" for any other
	started time.Time
	route   *route
	caller  Caller
	code    string // of the problem that was answered
}

type requestKey struct{}

func requestOf(fctx *requestCtx) *request {
	r, _ := fctx.UserValue(requestKey{}).(*request)
	return r
}

// begin gives a request its id, which is never the client's, and the answer
// what every answer has.
func (a *API) begin(fctx *requestCtx) *request {
	var raw [16]byte
	if _, err := io.ReadFull(a.random, raw[:]); err != nil {
		panic(fmt.Errorf("web: no randomness: %w", err))
	}
	r := &request{Context: context.Background(), id: hex.EncodeToString(raw[:]), method: knownMethod(fctx.Method()), started: a.now()}
	fctx.SetUserValue(requestKey{}, r)
	a.dress(fctx, r)
	return r
}

// knownMethod is the method as a constant: it goes into the log, where nothing
// of what was sent may be.
func knownMethod(sent []byte) string {
	for _, m := range [...]string{http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodPatch, http.MethodHead, http.MethodOptions} {
		if string(sent) == m {
			return m
		}
	}
	return ""
}

// serve is around every request that could be read.
func (a *API) serve(fctx *requestCtx, operations func(*requestCtx)) {
	var r *request
	defer func() {
		if v := recover(); v != nil {
			r = a.recovered(fctx, r, v)
		}
		a.logRequest(fctx, r)
	}()
	r = a.begin(fctx)

	if !wellFormedPath(fctx.URI().PathOriginal()) {
		a.answer(fctx, r, malformedRequest)
		return
	}
	if r.method == http.MethodHead {
		// HEAD is GET without the body, everywhere; fasthttp drops that by the
		// method, so it has to be back when we are done.
		fctx.Request.Header.SetMethod(http.MethodGet)
		defer fctx.Request.Header.SetMethod(http.MethodHead)
	}
	if own := a.pagesAt(string(fctx.URI().PathOriginal())); own != nil {
		a.serveOwn(fctx, r, own)
		return
	}
	if !servedByOperation(string(fctx.URI().PathOriginal())) {
		a.servePage(fctx, r)
		return
	}
	fctx.Response.Header.Set("Cache-Control", "no-store")
	if r.method == "" {
		// Fiber answers a method it does not know by itself, and badly. It knows
		// TRACE, which no operation has, so it tells what is allowed here.
		fctx.Request.Header.SetMethod(http.MethodTrace)
	}
	operations(fctx)
}

// recovered answers for a handler that panicked.
func (a *API) recovered(fctx *requestCtx, r *request, v any) *request {
	a.panics.Add(1)
	if r == nil { // begin itself: there is no randomness
		r = &request{Context: context.Background(), started: a.now()}
	}
	a.logger.LogAttrs(r, slog.LevelError, "panic",
		slog.String("request_id", r.id), slog.String("route", r.pattern()),
		slog.String("panic", shortened(fmt.Sprint(v))), slog.String("stack", string(debug.Stack())))
	fctx.Response.Reset()
	a.dress(fctx, r)
	a.answer(fctx, r, problem.Fault(nil))
	return r
}

func shortened(s string) string {
	if len(s) > 1024 {
		return s[:1024]
	}
	return s
}

// unrouted is Fiber's error handler: for requests that match no operation, and
// for those that could not be read at all. The errors' texts hold what was
// sent; only their status is used.
func (a *API) unrouted(c *fiber.Ctx, err error) error {
	fctx := c.Context()
	r := requestOf(fctx)
	if r == nil { // it could not be read, and serve has not seen it
		r = a.begin(fctx)
		defer a.logRequest(fctx, r)
	}
	status := http.StatusInternalServerError
	if fault := (*fiber.Error)(nil); errors.As(err, &fault) {
		status = fault.Code
	}
	switch status {
	case http.StatusNotFound:
		a.answer(fctx, r, notFound)
	case http.StatusMethodNotAllowed:
		// Fiber has set Allow to the methods of the operations that match.
		if allow := string(fctx.Response.Header.Peek("Allow")); listed(allow, http.MethodGet) {
			fctx.Response.Header.Set("Allow", allow+", "+http.MethodHead)
		}
		a.answer(fctx, r, methodNotAllowed)
	case http.StatusRequestEntityTooLarge:
		a.answer(fctx, r, bodyTooLarge)
		discardRest(fctx.Conn())
	case http.StatusRequestHeaderFieldsTooLarge:
		a.answer(fctx, r, headersTooLarge)
		discardRest(fctx.Conn())
	case http.StatusRequestTimeout:
		a.answer(fctx, r, requestTimeout)
	case http.StatusBadRequest, http.StatusBadGateway:
		a.answer(fctx, r, malformedRequest)
	default:
		a.answer(fctx, r, problem.Fault(err))
	}
	return nil
}

// discardRest reads what a client is still sending before the connection is
// closed: closing over unread data resets it, and the answer may be lost.
func discardRest(conn net.Conn) {
	const most, pause, longest = 8 << 20, 200 * time.Millisecond, 2 * time.Second
	buffer := make([]byte, 16<<10)
	end := time.Now().Add(longest)                          //nolint:forbidigo // a connection's deadline is the machine's time
	for read := 0; read < most && time.Now().Before(end); { //nolint:forbidigo // as above
		if err := conn.SetReadDeadline(time.Now().Add(pause)); err != nil { //nolint:forbidigo // as above
			return
		}
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		read += n
	}
}

// logFault logs why something failed. A panic inside a change of the database, which
// the database room has caught, counts as any other.
func (a *API) logFault(r *request, code string, cause error) {
	facts := []slog.Attr{
		slog.String("request_id", r.id), slog.String("route", r.pattern()),
		slog.String("code", code), slog.String("cause", cause.Error()),
	}
	if caught := (*database.Panic)(nil); errors.As(cause, &caught) {
		a.panics.Add(1)
		facts = append(facts, slog.String("stack", string(caught.Stack)))
	}
	a.logger.LogAttrs(r, slog.LevelError, "fault", facts...)
}

// answer writes a problem; the cause of a fault is logged here, once.
func (a *API) answer(fctx *requestCtx, r *request, p *problem.Problem) {
	if cause := p.Unwrap(); cause != nil && p.Status >= http.StatusInternalServerError {
		a.logFault(r, p.Code, cause)
	}
	body, err := p.Body(r.id)
	if err != nil {
		a.logger.LogAttrs(r, slog.LevelError, "problem can't be written", slog.String("request_id", r.id),
			slog.String("code", p.Code), slog.String("cause", err.Error()))
		p = problem.Fault(nil)
		body, _ = p.Body(r.id) // of strings and numbers only
	}
	r.code = p.Code
	fctx.Response.ResetBody()
	fctx.Response.SetStatusCode(p.Status)
	fctx.Response.Header.SetContentType(problem.ContentType)
	fctx.Response.Header.Set("Cache-Control", "no-store")
	if s := p.RetryAfterSeconds(); s > 0 {
		fctx.Response.Header.Set("Retry-After", fmt.Sprint(s))
	}
	fctx.Response.SetBody(body)
}

// pattern is the matched route as registered, "" where none was.
func (r *request) pattern() string {
	if r.route == nil {
		return ""
	}
	return r.route.pattern
}

// logRequest writes the line of a request: debug, but info for a refusal that
// tells of somebody trying, and warn for what is our fault.
func (a *API) logRequest(fctx *requestCtx, r *request) {
	status := fctx.Response.StatusCode()
	level := slog.LevelDebug
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case status == http.StatusForbidden || status == http.StatusTooManyRequests:
		level = slog.LevelInfo
	}
	if !a.logger.Enabled(r, level) {
		return
	}
	address := r.caller.Address
	if !address.IsValid() {
		address = a.address(fctx)
	}
	a.logger.LogAttrs(r, level, "request",
		slog.String("method", r.method), slog.String("route", r.pattern()), slog.Int("status", status),
		slog.String("code", r.code), slog.Duration("duration", a.now().Sub(r.started)),
		slog.String("request_id", r.id), slog.String("address", address.String()))
}

// wellFormedPath refuses a path with a broken escape, with text that is no
// UTF-8, or with control characters, escaped or not.
func wellFormedPath(path []byte) bool {
	plain := true
	for _, c := range path {
		if c <= ' ' || c >= 0x7f || c == '%' {
			plain = false
			break
		}
	}
	if plain {
		return true
	}
	decoded := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			decoded = append(decoded, path[i])
			continue
		}
		if i+2 >= len(path) {
			return false
		}
		var one [1]byte
		if _, err := hex.Decode(one[:], path[i+1:i+3]); err != nil {
			return false
		}
		decoded = append(decoded, one[0])
		i += 2
	}
	return cleanText(string(decoded))
}

// cleanText says that s is UTF-8 without control characters.
func cleanText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if unicode.IsControl(c) {
			return false
		}
	}
	return true
}
