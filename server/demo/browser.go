package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"sync"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

// wire is the network of the story: a listener whose connections come from whatever address a browser has, and from
// no real network.
type wire struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func newWire() *wire { return &wire{connections: make(chan net.Conn), closed: make(chan struct{})} }

// Accept gives the server the next connection.
func (w *wire) Accept() (net.Conn, error) {
	select {
	case conn := <-w.connections:
		return conn, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the accepting.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// Addr is the server's own.
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// far is the server's end of a connection from somewhere.
type far struct {
	net.Conn
	peer net.Addr
}

// RemoteAddr is where the connection comes from.
func (f far) RemoteAddr() net.Addr { return f.peer }

func (w *wire) dial(from netip.Addr) (net.Conn, error) {
	pipe := fasthttputil.NewPipeConns()
	peer := net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 50000))
	select {
	case w.connections <- far{Conn: pipe.Conn1(), peer: peer}:
		return pipe.Conn2(), nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// browser is one that keeps cookies, at an address.
type browser struct {
	story  *story
	agent  string
	client *http.Client
}

func (s *story) browser(agent string, from netip.Addr) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it fails for bad options alone, and there are none
	}
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return s.wire.dial(from) }}
	return &browser{story: s, agent: agent, client: &http.Client{Jar: jar, Transport: transport}}
}

// said is what the story reads of the server's answers.
type said struct {
	State       string   `json:"state"`
	ID          string   `json:"id"`
	Secret      string   `json:"secret"`
	BackupCodes []string `json:"backup_codes"`
	Link        string   `json:"enrolment_link"`
	Reference   string   `json:"reference"`
	Tickets     []struct {
		ID string `json:"id"`
	} `json:"tickets"`
	MFA struct {
		Factors []struct {
			ID string `json:"id"`
		} `json:"factors"`
	} `json:"mfa"`
}

// do sends a call after the little while that a person takes for it. An answer other than those wanted ends the story:
// then the product would do something else than the demo says.
func (b *browser) do(method, path string, body any, wanted ...int) (*said, error) {
	b.story.clock.wait(time.Duration(3+pick(9, method, path, b.story.clock.Now().UnixMilli())) * time.Second)
	return b.send(method, path, body, wanted...)
}

func (b *browser) send(method, path string, body any, wanted ...int) (*said, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(b.story.ctx, method, b.story.url+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", b.agent)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(response.Body)
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	for _, status := range wanted {
		if status != response.StatusCode {
			continue
		}
		answer := new(said)
		if len(raw) > 0 && raw[0] == '{' {
			err = json.Unmarshal(raw, answer)
		}
		return answer, err
	}
	return nil, fmt.Errorf("the story breaks: %s %s is answered with %d, not %v: %s", method, path, response.StatusCode, wanted, raw)
}
