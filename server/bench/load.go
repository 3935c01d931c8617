package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// browser is one keep-alive connection that costs as little as a client can: requests are bytes made before.
type browser struct {
	conn   net.Conn
	reader *bufio.Reader
}

func dial(address string) (*browser, error) {
	conn, err := net.Dial("tcp", address) //nolint:noctx // it is on this machine, and answers or not at once
	if err != nil {
		return nil, err
	}
	return &browser{conn, bufio.NewReaderSize(conn, 16<<10)}, nil
}

// answer is what one request got.
type answer struct {
	status  int
	headers map[string]string // the few that are looked at
	body    []byte
}

func (b *browser) do(request []byte) (answer, error) {
	var a answer
	if _, err := b.conn.Write(request); err != nil {
		return a, err
	}
	length := 0
	for first := true; ; first = false {
		line, err := b.reader.ReadSlice('\n')
		if err != nil {
			return a, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if len(line) < 12 {
				return a, fmt.Errorf("a status line %q", line)
			}
			if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return a, err
			}
		case len(line) == 0:
			if length == 0 {
				return a, nil
			}
			a.body = make([]byte, length)
			_, err := io.ReadFull(b.reader, a.body)
			return a, err
		case line[0] == 'C' && bytes.HasPrefix(line, []byte("Content-Length: ")):
			if length, err = strconv.Atoi(string(line[16:])); err != nil {
				return a, err
			}
		case line[0] == 'R' && bytes.HasPrefix(line, []byte("Retry-After: ")), line[0] == 'S' && bytes.HasPrefix(line, []byte("Set-Cookie: ")):
			if a.headers == nil {
				a.headers = map[string]string{}
			}
			name, value, _ := strings.Cut(string(line), ": ")
			if name == "Set-Cookie" {
				value, _, _ = strings.Cut(value, ";")
				value = strings.TrimPrefix(a.headers[name]+"; "+value, "; ")
			}
			a.headers[name] = value
		}
	}
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
				if err == nil && a.status == 200 {
					continue
				}
				lock.Lock()
				failed = errors.Join(failed, err)
				all.wrong[a.status]++
				if a.status == 503 && a.headers["Retry-After"] != "" {
					all.busy++
				}
				lock.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	work.Wait()
	all.took = time.Since(began)
	return all, failed
}
