package cli_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/secondstep/secondstep/server/cli"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/servertest"
)

// TestMain makes the command line a command of the scripts, in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"secondstep": func() { os.Exit(cli.Main(os.Args[1:], servertest.Page(), "1.2.3")) },
	})
}

func TestScripts(t *testing.T) {
	mailbox := servertest.NewMailbox(t, mail.Plain, "mailer", "canary-7Q")
	mailbox.Answer(func(to string) error {
		if strings.HasPrefix(to, "nobody@") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "There is nobody of that name"}
		}
		return nil
	})
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("MAILBOX", mailbox.Server.Host+":"+strconv.Itoa(mailbox.Server.Port))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"refused": refused,
			"serves":  serves,
			"alter":   alter,
		},
	})
}

// refused runs a command that must end with the status, with nothing on standard output, and with one line on standard
// error: refused STATUS ARGUMENT…
func refused(ts *testscript.TestScript, _ bool, args []string) {
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	var exit *exec.ExitError
	if err := ts.Exec("secondstep", args[1:]...); !errors.As(err, &exit) || exit.ExitCode() != status {
		ts.Fatalf("%v, want exit status %d", err, status)
	}
	line, found := strings.CutSuffix(ts.ReadFile("stderr"), "\n")
	if !found || strings.Contains(line, "\n") || !strings.HasPrefix(line, "secondstep: ") {
		ts.Fatalf("standard error is not one line of ours: %q", line)
	}
	if printed := ts.ReadFile("stdout"); printed != "" {
		ts.Fatalf("standard output is not empty: %q", printed)
	}
}

// alter writes to the database behind the program's back: alter STATEMENT [NEW]. NEW is the id of an event that need not be
// sealed for five seconds, which is how long the command after it has: it is made as far ahead as clocks may differ.
func alter(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs("data/secondstep.db"))
	ts.Check(err)
	defer db.Close()
	var values []any
	if len(args) == 2 && args[1] == "NEW" {
		values = []any{database.FirstID(time.Now().Add(2 * time.Second))}
	}
	_, err = db.Exec(args[0], values...)
	ts.Check(err)
}

// serves runs serve until it serves, then stops it as a service manager does, which must end well:
// serves [NAME=VALUE…] ARGUMENT…
func serves(ts *testscript.TestScript, _ bool, args []string) {
	var environment []string
	for len(args) > 0 && strings.HasPrefix(args[0], "SECONDSTEP_") {
		environment, args = append(environment, args[0]), args[1:]
	}
	found, err := exec.LookPath("secondstep")
	ts.Check(err)
	command := exec.Command(found, append([]string{"serve", "--listen", "127.0.0.1:0", "--log-format", "json"}, args...)...)
	command.Dir = ts.Getenv("WORK")
	command.Env = append([]string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH")}, environment...)
	var printed bytes.Buffer
	command.Stdout = &printed
	logged, err := command.StderrPipe()
	ts.Check(err)
	ts.Check(command.Start())
	var log bytes.Buffer
	for lines := bufio.NewScanner(logged); lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"msg":"serving"`) {
			ts.Check(command.Process.Signal(syscall.SIGTERM))
		}
	}
	err = command.Wait()
	_, _ = ts.Stdout().Write(printed.Bytes())
	_, _ = ts.Stderr().Write(log.Bytes())
	if err != nil {
		ts.Fatalf("serve ended with %v: %s", err, log.String())
	}
}
