package cli_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// An administrator who is locked out is let back in by the console, while the server runs.
func TestResetBesideARunningServer(t *testing.T) {
	program := filepath.Join(t.TempDir(), "secondstep") // TestMain goes by the name
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		open := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		said := []string{"SECONDSTEP_PUBLIC_URL=https://id.example.test/"}
		run := func(arguments ...string) (out, told string, err error) {
			arguments = append([]string{"user", "reset-mfa", "--data", in.Folder, "--database-url", in.URL}, arguments...)
			command := exec.Command(program, arguments...)
			command.Env = said
			var printed, errors bytes.Buffer
			command.Stdout, command.Stderr = &printed, &errors
			err = command.Run()
			return printed.String(), errors.String(), err
		}
		link := regexp.MustCompile(`^https://id\.example\.test/enrol#token=([\w-]{43})\n$`)
		first, told, err := run("--email", "ADA@example.test")
		if err != nil || !link.MatchString(first) || !regexp.MustCompile(`^ada@example\.test is signed out everywhere\..*\n$`).MatchString(told) {
			t.Fatalf("%v: %q %q", err, first, told)
		}
		// Where nobody says it, the link leads to the server that runs, wherever that listens.
		if err := in.First().NotePublicURL(t.Context(), "https://id.example.test"); err != nil {
			t.Fatal(err)
		}
		said = nil
		second, _, err := run("--email", "ada@example.test")
		if err != nil || !link.MatchString(second) || first == second {
			t.Fatalf("%v: %q", err, second)
		}
		open.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "session_ended")
		browser := in.Browser(servertest.Firefox)
		if state := browser.Password("ada@example.test").Want(http.StatusOK).Text("state"); state != "enrolment_link_required" {
			t.Fatal(state)
		}
		browser.Code(ada.Code()).Refused(http.StatusForbidden, "enrolment_link_required")
		give := func(printed string) *servertest.Answer {
			return browser.Do("POST", "/api/v1/sign-in/enrolment-link", map[string]string{"token": link.FindStringSubmatch(printed)[1]})
		}
		give(first).Refused(http.StatusGone, "enrolment_link_expired")
		give(second).Want(http.StatusOK)
		in.Enrol(browser)
		browser.Do("GET", "/api/v1/users", nil).Want(http.StatusOK)

		in.AddPerson("Ben", "ben@example.test", "member")
		if printed, said, err := run("--email", "ben@example.test"); err == nil || printed != "" || said != "secondstep: 2-step verification is not on.\n" {
			t.Errorf("%v: %q %q", err, printed, said)
		}
	})
}
