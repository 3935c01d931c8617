package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

// Stream is the output of an operation whose answer has any length: it is made piece by piece, as fast as it is taken, and
// is never held as a whole. Its operation describes its own responses.
type Stream struct {
	ContentType string
	// Events is how many events it is about, so that whoever takes it can tell how far it is.
	Events int
	// Next makes a piece, which it may change with the next one. One that is empty ends the answer. After a fault the
	// connection is cut, so that nobody takes a half for the whole.
	Next func(ctx context.Context) ([]byte, error)
}

// EventsHeader tells Stream.Events.
const EventsHeader = "Secondstep-Events"

// send begins the answer; what is left of it is made as it is taken.
func (s *Stream) send(api *API, r *request, fctx *requestCtx) {
	fctx.Response.Header.SetContentType(s.ContentType)
	fctx.Response.Header.Set(EventsHeader, strconv.Itoa(s.Events))
	if r.method == http.MethodHead {
		// fasthttp writes the end of the pieces even where it leaves the pieces out.
		fctx.Response.Header.SetContentLength(-1)
		return
	}
	fctx.SetBodyStream(&pieces{ctx: r, api: api, stream: s, conn: fctx.Conn()}, -1)
}

// pieces reads a stream. Each piece has as long to leave as another answer has as a whole: a browser that takes nothing
// is hung up on as elsewhere.
type pieces struct {
	ctx    context.Context //nolint:containedctx // of the request, which the stream outlives the handler of
	api    *API
	stream *Stream
	conn   net.Conn
	left   []byte
}

func (p *pieces) Read(into []byte) (n int, err error) {
	if len(p.left) == 0 {
		if p.left, err = p.next(); err != nil {
			p.api.logger.ErrorContext(p.ctx, "an answer was cut", "cause", err)
			return 0, err
		}
		if len(p.left) == 0 {
			return 0, io.EOF
		}
		until := time.Now().Add(writeTimeout) //nolint:forbidigo // the kernel's clock, as fasthttp takes it for every other answer
		if err := p.conn.SetWriteDeadline(until); err != nil && !errors.Is(err, net.ErrClosed) {
			return 0, err
		}
	}
	n = copy(into, p.left)
	p.left = p.left[n:]
	return n, nil
}

// next makes a piece; a panic in it is a fault like any other.
func (p *pieces) next() (piece []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			p.api.panics.Add(1)
			err = fmt.Errorf("panic: %v", v)
			p.api.logger.ErrorContext(p.ctx, "panic while an answer was written", "cause", err, "stack", string(debug.Stack()))
		}
	}()
	return p.stream.Next(p.ctx)
}
