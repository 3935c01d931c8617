package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/cli"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/servertest"
)

// asProgram names the variable under which the test's binary is the program itself: the real command line in a process
// of its own, which can be killed.
const asProgram = "SECONDSTEP_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	os.Exit(cli.Main(os.Args[1:], servertest.Page(), "test"))
}

// program runs the command line as a process.
func program(args ...string) *exec.Cmd {
	command := exec.Command(os.Args[0], args...)
	command.Env = append(os.Environ(), asProgram+"=1")
	return command
}

// process is a running serve.
type process struct {
	URL   string
	links chan string // the token of the setup link, when it is printed

	t       testing.TB
	command *exec.Cmd
	log     *servertest.Log
	ended   chan struct{}
	err     error
}

// serve starts a server on a free port and returns when it serves.
func serve(t testing.TB, data string, args ...string) *process {
	t.Helper()
	command := program(append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data, "--log-format", "json", "--log-level", "debug"}, args...)...)
	p := &process{t: t, command: command, log: &servertest.Log{}, links: make(chan string, 1), ended: make(chan struct{})}
	printed, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	logged, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan string, 1)
	var read sync.WaitGroup
	read.Go(func() {
		for lines := bufio.NewScanner(printed); lines.Scan(); {
			if _, token, found := strings.Cut(lines.Text(), "/setup#token="); found {
				p.links <- token
			}
		}
	})
	read.Go(func() {
		for lines := bufio.NewScanner(logged); lines.Scan(); {
			p.log.Write(append(bytes.Clone(lines.Bytes()), '\n'))
			var line struct{ Msg, Listen string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				serving <- "http://" + line.Listen
			}
		}
	})
	go func() {
		read.Wait()
		p.err = command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		command.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("a server logged:\n%s", p.log)
		}
	})
	select {
	case p.URL = <-serving:
	case <-p.ended:
		t.Fatalf("it did not serve: %v\n%s", p.err, p.log)
	}
	return p
}

// token waits for the setup link, which is printed once.
func (p *process) token() string {
	p.t.Helper()
	select {
	case token := <-p.links:
		return token
	case <-p.ended:
		p.t.Fatalf("no setup link was printed: %v", p.err)
		return ""
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.t.Helper()
	if err := p.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
	<-p.ended
}

// stop asks for a graceful stop and answers how it ended.
func (p *process) stop() error {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	<-p.ended
	return p.err
}

// refused runs a command that must fail with the status, and gives the one line that it ends with.
func refused(t testing.TB, status int, args ...string) string {
	t.Helper()
	command := program(args...)
	var printed, said bytes.Buffer
	command.Stdout, command.Stderr = &printed, &said
	var exit *exec.ExitError
	if err := command.Run(); !errors.As(err, &exit) || exit.ExitCode() != status {
		t.Fatalf("%v, want status %d: %s%s", err, status, printed.String(), said.String())
	}
	line, found := strings.CutSuffix(said.String(), "\n")
	if !found || strings.Contains(line, "\n") || !strings.HasPrefix(line, "secondstep: ") || printed.Len() > 0 {
		t.Fatalf("it is not one line: %q %q", said.String(), printed.String())
	}
	return line
}

// watch is an authenticator app on the real clock. It shows each code once, the next one early where it must: a code is
// good within a step of its time.
type watch struct {
	secret []byte
	last   int64
}

func newWatch(t testing.TB, secret string) *watch {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &watch{secret: raw}
}

func (w *watch) code() string {
	w.last = max(w.last+1, totp.Step(time.Now()))
	return totp.Code(w.secret, w.last)
}

// shown is the code that was given last.
func (w *watch) shown() string { return totp.Code(w.secret, w.last) }

// within opens an installation's database beside everything else.
func within(t testing.TB, data, address string, act func(ctx context.Context, db *database.Database)) {
	t.Helper()
	db, err := database.Open(t.Context(), database.Options{Folder: data, URL: address, Now: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	act(t.Context(), db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
