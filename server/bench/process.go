package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/secondstep/secondstep/server/hashing"
)

// process is the built program, serving.
type process struct {
	command *exec.Cmd
	address string
	ended   chan struct{}
}

// serve starts the program on a folder and returns when it serves.
func (b *bench) serve(folder, database string) (*process, error) {
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", folder, "--log-format", "json"}
	if database != "" {
		args = append(args, "--database-url", database)
	}
	p := &process{command: exec.CommandContext(b.ctx, b.program, args...), ended: make(chan struct{})} //nolint:gosec // the program that is measured
	logged, err := p.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	serving := make(chan string, 1)
	go func() {
		defer close(p.ended)
		var log strings.Builder
		for lines := bufio.NewScanner(logged); lines.Scan(); {
			var line struct{ Msg, Listen string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				serving <- line.Listen
			}
			if log.Len() < 4096 {
				log.WriteString(lines.Text() + "\n")
			}
		}
		if err := p.command.Wait(); err != nil {
			fmt.Fprintf(os.Stderr, "serve ended with %v:\n%s", err, log.String())
		}
	}()
	select {
	case p.address = <-serving:
		return p, nil
	case <-p.ended:
		return nil, errors.New("it did not serve")
	}
}

// stop ends the program as a service manager does.
func (p *process) stop() error {
	err := p.command.Process.Signal(syscall.SIGTERM)
	<-p.ended
	return err
}

// memory is what /proc says about the program, in bytes: VmRSS for now, VmHWM for the most so far.
func (p *process) memory(what string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(what + `:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		return 0, errors.New("no " + what + " in /proc")
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	return kilobytes << 10, err
}

// used is an installation's folder with some people in it, whose server has been closed.
func (b *bench) used(kind string, people int) (*installation, error) {
	in, err := b.made(kind, people)
	if err != nil {
		return nil, err
	}
	return in, in.Close()
}

// starts measures from exec to the first 200 of /readyz on an existing database.
func starts(b *bench) error {
	empty, err := b.emptyProgram()
	if err != nil {
		return err
	}
	for _, kind := range b.kinds {
		in, err := b.used(kind, 1000)
		if err != nil {
			return err
		}
		var ours, theirs []time.Duration
		for range 2*b.rounds + 1 {
			took, err := b.start(in)
			if err != nil {
				return err
			}
			began := time.Now()
			if err := exec.CommandContext(b.ctx, empty).Run(); err != nil { //nolint:gosec // built a moment ago
				return err
			}
			ours, theirs = append(ours, took), append(theirs, time.Since(began))
		}
		b.table.atMost("start, exec to ready, against an empty Go program, "+kind, median(ours), median(theirs), 30,
			condition{"under 60 ms", median(ours) < 60*time.Millisecond})
	}
	return nil
}

// start starts the program on a port that is free, and asks until it is ready.
func (b *bench) start(in *installation) (time.Duration, error) {
	address, err := freeAddress()
	if err != nil {
		return 0, err
	}
	args := []string{"serve", "--listen", address, "--data", in.config.Data}
	if in.config.DatabaseURL != "" {
		args = append(args, "--database-url", in.config.DatabaseURL)
	}
	command := exec.CommandContext(b.ctx, b.program, args...) //nolint:gosec // the program that is measured
	began := time.Now()
	if err := command.Start(); err != nil {
		return 0, err
	}
	text := request("GET", "/readyz", "", "")
	took := time.Duration(0)
	for took == 0 && time.Since(began) < 30*time.Second {
		browser, err := dial(address)
		if err != nil {
			time.Sleep(200 * time.Microsecond)
			continue
		}
		if a, err := browser.do(text); err == nil && a.StatusCode() == 200 {
			took = time.Since(began)
		}
		_ = browser.conn.Close()
	}
	if took == 0 {
		return 0, errors.New("it never was ready")
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	return took, command.Wait()
}

// emptyProgram builds a program that does nothing.
func (b *bench) emptyProgram() (string, error) {
	folder := filepath.Join(b.temp, "empty")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	source, program := filepath.Join(folder, "main.go"), filepath.Join(folder, "empty")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(b.ctx, "go", "build", "-ldflags", "-s -w", "-o", program, source).CombinedOutput() //nolint:gosec // our own file
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
}

// idle measures what the program holds when it has served a few pages and rests.
func idle(b *bench) error {
	const most = 30_000_000
	for _, kind := range b.kinds {
		in, err := b.used(kind, 1000)
		if err != nil {
			return err
		}
		resting, err := b.resting(in)
		if err != nil {
			return err
		}
		b.table.add(line{what: "idle memory, " + kind, ours: megabytes(resting), reference: "", ratio: "", bar: "≤ 30 MB"}, resting <= most, nil)
	}
	return nil
}

func (b *bench) resting(in *installation) (int64, error) {
	p, err := b.serve(in.config.Data, in.config.DatabaseURL)
	if err != nil {
		return 0, err
	}
	defer func() { _ = p.stop() }()
	browser, err := dial(p.address)
	if err != nil {
		return 0, err
	}
	defer browser.conn.Close()
	for _, path := range []string{"/sign-in", "/readyz", "/api/v1/time"} {
		if _, err := browser.do(request("GET", path, "", "")); err != nil {
			return 0, err
		}
	}
	time.Sleep(2 * time.Second) // it rests
	return p.memory("VmRSS")
}

// binary measures the file.
func binary(b *bench) error {
	info, err := os.Stat(b.program)
	if err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	const most = 26_000_000
	b.table.add(line{what: "binary, stripped", ours: megabytes(info.Size()), bar: "≤ 26 MB"}, info.Size() <= most, nil)
	return nil
}

var (
	linked   = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)
	imported = regexp.MustCompile(`(?:from|import)\s*"\./([^"]+\.js)"`)
)

// assets measures what a browser loads before somebody can type a password: the page, what it links to, and what that
// imports at once.
func assets(b *bench) error {
	in, err := b.used(onSQLite, 1)
	if err != nil {
		return err
	}
	p, err := b.serve(in.config.Data, "")
	if err != nil {
		return err
	}
	defer func() { _ = p.stop() }()
	get := func(path, encoding string) ([]byte, error) {
		asked, err := http.NewRequestWithContext(b.ctx, http.MethodGet, "http://"+p.address+path, nil)
		if err != nil {
			return nil, err
		}
		asked.Header.Set("Accept-Encoding", encoding)
		asked.Header.Set("Accept", "text/html,*/*")
		response, err := http.DefaultClient.Do(asked)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", path, response.Status)
		}
		return body, errors.Join(err, response.Body.Close())
	}
	page, err := get("/sign-in", "identity")
	if err != nil {
		return err
	}
	requests, size := 1, int64(0)
	var paths []string
	for _, match := range linked.FindAllSubmatch(page, -1) {
		paths = append(paths, string(match[1]))
	}
	seen := map[string]bool{}
	for len(paths) > 0 {
		path := paths[0]
		if paths = paths[1:]; seen[path] {
			continue
		}
		seen[path] = true
		requests++
		if !strings.HasSuffix(path, ".js") && !strings.HasSuffix(path, ".css") {
			continue
		}
		compressed, err := get(path, "br")
		if err != nil {
			return err
		}
		size += int64(len(compressed))
		plain, err := get(path, "identity")
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".js") {
			for _, match := range imported.FindAllSubmatch(plain, -1) {
				paths = append(paths, "/assets/"+string(match[1]))
			}
		}
	}
	b.table.add(line{what: "sign-in screen, JS + CSS compressed", ours: fmt.Sprintf("%.1f kB, %d requests", float64(size)/1e3, requests), bar: "≤ 35 kB, ≤ 4 requests"},
		size <= 35_000 && requests <= 4, nil)
	return nil
}

// poolMemory is what the pool may hold at once.
func poolMemory() int64 {
	return int64(hashing.DefaultWorkers()) * int64(hashing.Passwords.Memory) << 10
}
