package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

// TestStream: an answer that is made while it is taken, and is cut where it can't be made to its end.
func TestStream(t *testing.T) {
	t.Parallel()
	several := func(end func() ([]byte, error)) func(context.Context) ([]byte, error) {
		n := 0
		return func(context.Context) ([]byte, error) {
			if n++; n > 3 {
				return end()
			}
			return bytes.Repeat([]byte{'x'}, 100_000), nil
		}
	}
	h := serve(t, nil, func(api *web.API) {
		for path, next := range map[string]func(context.Context) ([]byte, error){
			"/api/whole":  several(func() ([]byte, error) { return nil, nil }),
			"/api/faulty": several(func() ([]byte, error) { return nil, errors.New("no more of it") }),
			"/api/broken": several(func() ([]byte, error) { panic("no more of it") }),
		} {
			web.Register(api, web.Public, huma.Operation{OperationID: path[5:], Method: http.MethodGet, Path: path},
				func(context.Context, web.Caller, *struct{}) (*web.Stream, error) {
					return &web.Stream{ContentType: "text/csv", Events: 7, Next: next}, nil
				})
		}
	})
	get := func(path string) (*http.Response, error) {
		return h.client.Get("http://" + h.addr + path)
	}
	for path, whole := range map[string]bool{"/api/whole": true, "/api/faulty": false, "/api/broken": false} {
		answer, err := get(path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if whole != (err == nil) || whole && len(body) != 300_000 {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
		if answer.Header.Get(web.EventsHeader) != "7" || answer.Header.Get("Content-Type") != "text/csv" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, answer.Header)
		}
	}
	// What follows HEAD's headers is the next answer, and nothing of a body.
	raw := h.raw("HEAD /api/whole HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	head, next, _ := strings.Cut(raw, "\r\n\r\n")
	if !strings.Contains(head, web.EventsHeader+": 7") || strings.Contains(head, "Content-Length") || !strings.HasPrefix(next, "HTTP/1.1 200") {
		t.Errorf("HEAD: %q", raw)
	}
	if log := h.log.String(); !strings.Contains(log, "an answer was cut") || strings.Count(log, "no more of it") < 3 || h.api.Panics() != 1 {
		t.Errorf("the log: %s", log)
	}
}
