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

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
)

// Stream is an answer of any length: it is made piece by piece, as fast as it is taken, and is never held as a whole.
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

type streamOutput struct {
	ContentType string `header:"Content-Type"`
	Body        func(ctx huma.Context)
}

// RegisterStream is Register for an operation whose answer is a Stream. It describes its own responses.
func RegisterStream[I any](api *API, access Access, op huma.Operation, handler func(ctx context.Context, caller Caller, in *I) (*Stream, error)) {
	Register(api, access, op, func(ctx context.Context, caller Caller, in *I) (*streamOutput, error) {
		stream, err := handler(ctx, caller, in)
		if err != nil {
			return nil, err
		}
		return &streamOutput{ContentType: stream.ContentType, Body: func(ex huma.Context) {
			fctx := humafiber.Unwrap(ex).Context()
			fctx.SetStatusCode(http.StatusOK)
			fctx.Response.Header.Set(EventsHeader, strconv.Itoa(stream.Events))
			fctx.SetBodyStream(&pieces{ctx: ctx, api: api, stream: stream, conn: fctx.Conn()}, -1)
		}}, nil
	})
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
