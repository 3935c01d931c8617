package cli_test

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/secondstep/secondstep/server/database/databasetest"
	"github.com/secondstep/secondstep/server/demo"
	"github.com/secondstep/secondstep/server/servertest"
)

// played is a demo that serves.
type played struct {
	t       *testing.T
	command *exec.Cmd
	rest    *bufio.Scanner
	URL     string
	env     []string
	temp    string
	folder  string // as its instructions name it
	link    string // the token of Oscar's enrolment link
}

// play starts a demo and reads its instructions to the end.
func play(t *testing.T, args ...string) *played {
	t.Helper()
	p := &played{t: t, temp: t.TempDir()}
	// Settings of a real installation must not reach it.
	p.env = append(os.Environ(), "TMPDIR="+p.temp, "XDG_CACHE_HOME="+t.TempDir(), "SECONDSTEP_DATA="+t.TempDir(), "SECONDSTEP_DATABASE_URL=postgres://nobody@127.0.0.1:1/none")
	p.command = p.run(append([]string{"demo", "--listen", "127.0.0.1:0"}, args...)...)
	printed, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.command.Stderr = t.Output()
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.command.Process.Kill() })
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	link := regexp.MustCompile(`enrolment link of oscar@example\.org: http://127\.0\.0\.1:\d+/enrol#token=(\S+)$`)
	folder := regexp.MustCompile(`with --data (\S+) it plays this one`)
	p.rest = bufio.NewScanner(printed)
	for p.rest.Scan() {
		if found := address.FindString(p.rest.Text()); found != "" {
			p.URL = found
		}
		if found := folder.FindStringSubmatch(p.rest.Text()); found != nil {
			p.folder = found[1]
		}
		if found := link.FindStringSubmatch(p.rest.Text()); found != nil {
			p.link = found[1]
		}
		if strings.Contains(p.rest.Text(), "Ctrl-C ends the demo") {
			return p
		}
	}
	t.Fatalf("the demo ended: %v", p.command.Wait())
	return nil
}

func (p *played) run(args ...string) *exec.Cmd {
	command := exec.Command("secondstep", args...)
	command.Env = p.env
	return command
}

// codes are the lines of `demo code`.
func (p *played) codes(email string) []string {
	p.t.Helper()
	out, err := p.run("demo", "code", email).Output()
	if err != nil {
		p.t.Fatalf("demo code %s: %v", email, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines {
		if !regexp.MustCompile(`^\d{6}  for \d+ s more  \(`).MatchString(line) {
			p.t.Fatalf("a line of demo code is %q", line)
		}
	}
	return lines
}

// in sends somebody's password in a browser of their own.
func (p *played) in(email string) (*servertest.Client, *servertest.Answer) {
	p.t.Helper()
	browser := servertest.Browse(p.t, servertest.Firefox, p.URL)
	return browser, browser.Do("POST", "/api/v1/sign-in", map[string]string{"email": email, "password": demo.Password})
}

func TestDemo(t *testing.T) {
	t.Parallel()
	p := play(t)
	ada, came := p.in("ada@example.org")
	if came.Want(http.StatusOK); came.Text("state") != "second_step" {
		t.Fatal(string(came.Raw))
	}
	ada.Code(p.codes("ada@example.org")[0][:6]).Want(http.StatusOK)

	listed := ada.Do("GET", "/api/v1/users?limit=100", nil).Want(http.StatusOK).Body["users"].([]any)
	found := map[string]string{}
	for _, one := range listed {
		row := one.(map[string]any)
		mfa := row["mfa"].(map[string]any)
		found[row["email"].(string)] = fmt.Sprintf("%s %s %s disabled=%v deadline=%v codes=%v",
			row["role"], mfa["state"], mfa["requirement"], row["disabled"], mfa["deadline"] != nil, mfa["backup_codes_remaining"])
	}
	if len(found) < 40 {
		t.Errorf("%d people", len(found))
	}
	mateo := ada.Do("GET", "/api/v1/users?query=mateo@example.org", nil).Want(http.StatusOK).Body["users"].([]any)[0].(map[string]any)["id"].(string)
	asks := ada.Do("GET", "/api/v1/users/"+mateo+"/security/recovery", nil).Want(http.StatusOK).Body["recovery"].(map[string]any)
	if told := ada.Do("GET", "/api/v1/tickets/"+asks["id"].(string)+"/recovery", nil).Want(http.StatusOK); told.Body["decidable"] != true {
		t.Errorf("%s", told.Raw)
	}
	for email, want := range map[string]string{
		"ada":    "administrator on allowed disabled=false deadline=false codes=10",
		"grace":  "administrator off allowed disabled=false deadline=false codes=0",
		"ben":    "member on allowed disabled=false deadline=false codes=10",
		"carla":  "member off allowed disabled=false deadline=false codes=0",
		"dmitri": "member enrolling allowed disabled=false deadline=false codes=0",
		"elif":   "member enrolling allowed disabled=false deadline=false codes=0",
		"farid":  "member on allowed disabled=false deadline=false codes=2",
		"greta":  "member on allowed disabled=false deadline=false codes=0",
		"jonas":  "member on allowed disabled=true deadline=false codes=10",
		"kaori":  "member off required disabled=false deadline=true codes=0",
		"liam":   "member off required disabled=false deadline=true codes=0",
		"mira":   "member on off disabled=false deadline=false codes=10",
		"noor":   "member off off disabled=false deadline=false codes=0",
		"otto":   "member on required disabled=false deadline=true codes=10",
		"oscar":  "member off allowed disabled=false deadline=false codes=0",
		"rosa":   "member off allowed disabled=false deadline=false codes=0",
	} {
		if got := found[email+"@example.org"]; got != want {
			t.Errorf("%s is %q, want %q", email, got, want)
		}
	}
	if out, err := p.run("demo", "code", "ada@example.org", "--data", p.folder).Output(); err != nil || !strings.HasPrefix(p.folder, p.temp) {
		t.Errorf("in the folder %q that the start named: %v %s", p.folder, err, out)
	}
	p.opens()
	p.enrols()
	p.stop()
	if left, err := os.ReadDir(p.temp); err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
	out, err := p.run("demo", "code", "ada@example.org").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no demo runs") {
		t.Errorf("%v %s", err, out)
	}
}

// opens tries what the password of each kind of person leads to.
func (p *played) opens() {
	for email, want := range map[string]string{
		"grace": "signed_in", "carla": "signed_in", "mira": "signed_in", "noor": "signed_in", "kaori": "signed_in",
		"liam": "enrolment_required", "oscar": "enrolment_link_required", "greta": "second_step", "petra": "second_step",
	} {
		if _, came := p.in(email + "@example.org"); came.Want(http.StatusOK).Text("state") != want {
			p.t.Errorf("%s: %s, want %s", email, came.Raw, want)
		}
	}
	oscar, _ := p.in("oscar@example.org")
	oscar.Do("POST", "/api/v1/sign-in/enrolment-link", map[string]string{"token": p.link}).Want(http.StatusOK)
	_, jonas := p.in("jonas@example.org")
	jonas.Refused(http.StatusForbidden, "account_disabled")
	browser, _ := p.in("ines@example.org")
	if why := browser.Code(p.codes("ines@example.org")[0][:6]).Diagnosed("too_many_attempts"); why["locked"] != true {
		p.t.Errorf("ines: %v", why)
	}
	browser, came := p.in("hugo@example.org")
	if labels := came.Texts("labels"); len(labels) != 2 || len(p.codes("hugo@example.org")) != 2 {
		p.t.Errorf("hugo's apps are %v", labels)
	}
	browser.Code(p.codes("hugo@example.org")[1][:6]).Want(http.StatusOK)
	events := browser.Do("GET", servertest.Security+"/events", nil).Want(http.StatusOK).Body["events"].([]any)
	if len(events) < 10 {
		p.t.Errorf("%d events of hugo's", len(events))
	}
}

// enrols goes through the wizard with nothing but `demo code`; oathtool is the witness that it is a real app's code.
func (p *played) enrols() {
	carla, _ := p.in("carla@example.org")
	begun := carla.Do("POST", servertest.Enrolments, map[string]string{"name": "Demo"}).Want(http.StatusCreated)
	code := p.codes("carla@example.org")[0][:6]
	witness, err := exec.Command("oathtool", "--totp", "-b", "-w", "1", "-N", "30 seconds ago", begun.Text("secret")).Output()
	if err != nil || !slices.Contains(strings.Fields(string(witness)), code) {
		p.t.Errorf("oathtool says %q, demo code %s: %v", witness, code, err)
	}
	carla.Confirm(begun.Text("id"), code).Want(http.StatusOK)
}

// stop is Ctrl-C.
func (p *played) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
	for p.rest.Scan() { // to its end
	}
	if err := p.command.Wait(); err != nil {
		p.t.Errorf("it ended with %v", err)
	}
}

// TestDemoOfACrowd makes many people, on PostgreSQL, in a folder that stays.
func TestDemoOfACrowd(t *testing.T) {
	t.Parallel()
	address, folder := databasetest.Postgres(t), filepath.Join(t.TempDir(), "kept")
	p := play(t, "--database-url", address, "--data", folder, "--people", "1200")
	ada, _ := p.in("ada@example.org")
	ada.Code(p.codes("ada@example.org")[0][:6]).Want(http.StatusOK)
	if total := ada.Do("GET", "/api/v1/users", nil).Want(http.StatusOK).Body["total"]; total != 1001.0 {
		t.Errorf("%v people", total)
	}
	if _, came := p.in(demo.CrowdEmail(1200)); came.Want(http.StatusOK).Text("state") != "signed_in" {
		t.Error(string(came.Raw))
	}
	p.stop()
	for _, again := range [][]string{{"--data", folder}, {"--database-url", address}} {
		out, err := p.run(append([]string{"demo", "--listen", "127.0.0.1:0"}, again...)...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "there is an installation already") {
			t.Errorf("%v: %v %s", again, err, out)
		}
	}
}
