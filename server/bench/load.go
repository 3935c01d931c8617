package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// browser is one keep-alive connection. Its requests are bytes made before.
type browser struct {
	conn   net.Conn
	reader *bufio.Reader
	answer fasthttp.Response
}

func dial(address string) (*browser, error) {
	conn, err := net.Dial("tcp", address) //nolint:noctx // it is on this machine, and answers or not at once
	if err != nil {
		return nil, err
	}
	return &browser{conn: conn, reader: bufio.NewReaderSize(conn, 16<<10)}, nil
}

// do answers what came back, good until the next request.
func (b *browser) do(request []byte) (*fasthttp.Response, error) {
	if _, err := b.conn.Write(request); err != nil {
		return nil, err
	}
	return &b.answer, b.answer.Read(b.reader)
}

// busy says whether an answer is the refusal of a server that has too much to do.
func busy(answer *fasthttp.Response) bool {
	return answer.StatusCode() == fasthttp.StatusServiceUnavailable && len(answer.Header.Peek(fasthttp.HeaderRetryAfter)) > 0
}

const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// request is one as a browser sends it; an empty body sends none.
func request(method, path, cookies, body string) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: %s\r\nAccept: application/json\r\n", method, path, agent)
	if cookies != "" {
		text.WriteString("Cookie: " + cookies + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&text, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	} else if method != "GET" {
		text.WriteString("Content-Length: 0\r\n")
	}
	text.WriteString("\r\n" + body)
	return []byte(text.String())
}

// load is what a crowd got.
type load struct {
	took  time.Duration
	each  []time.Duration
	wrong map[int]int // statuses other than 200
	busy  int         // of the wrong ones: 503 with Retry-After
}

func (l *load) rate() float64 { return float64(len(l.each)) / l.took.Seconds() }

// failures is how many got anything but 200.
func (l *load) failures() int {
	sum := 0
	for _, count := range l.wrong {
		sum += count
	}
	return sum
}

// refused is an error where anything but 200 came.
func (l *load) refused() error {
	if len(l.wrong) > 0 {
		return fmt.Errorf("answers other than 200: %v", l.wrong)
	}
	return nil
}

// crowd sends so many requests over so many connections, each connection the next one when its last is answered.
func crowd(address string, connections, count int, next func(n int) []byte) (*load, error) {
	browsers := make([]*browser, connections)
	for n := range browsers {
		one, err := dial(address)
		if err != nil {
			return nil, err
		}
		defer one.conn.Close()
		browsers[n] = one
	}
	each := make([]time.Duration, count)
	all := &load{each: each, wrong: map[int]int{}}
	var turn atomic.Int64
	var lock sync.Mutex
	var failed error
	var work sync.WaitGroup
	began := time.Now()
	for _, one := range browsers {
		work.Go(func() {
			for n := int(turn.Add(1)) - 1; n < count; n = int(turn.Add(1)) - 1 {
				text := next(n)
				sent := time.Now()
				a, err := one.do(text)
				each[n] = time.Since(sent)
				if err == nil && a.StatusCode() == 200 {
					continue
				}
				lock.Lock()
				if err != nil {
					failed = errors.Join(failed, err)
					lock.Unlock()
					return
				}
				all.wrong[a.StatusCode()]++
				if busy(a) {
					all.busy++
				}
				lock.Unlock()
			}
		})
	}
	work.Wait()
	all.took = time.Since(began)
	return all, failed
}
