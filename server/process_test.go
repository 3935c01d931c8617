package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/database/databasetest"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/servertest"
)

const adaEmail = "ada@example.test"

// journey is somebody's browser on a server that is killed between every two of its steps.
type journey struct {
	t       *testing.T
	restart func() *process
	process *process
	*servertest.Client
}

// crash kills the server and starts it again; the browser goes on.
func (j *journey) crash() {
	j.t.Helper()
	j.process.kill()
	j.process = j.restart()
	j.Client = j.Client.On(&servertest.Instance{URL: j.process.URL})
}

// setUp makes the first administrator.
func (j *journey) setUp(token string) {
	j.t.Helper()
	j.claim(token).Want(http.StatusOK)
}

func (j *journey) claim(token string) *servertest.Answer {
	j.t.Helper()
	return j.Do("POST", "/api/v1/setup", map[string]string{
		"token": token, "name": "Ada Admin", "email": adaEmail, "password": servertest.Password,
	})
}

// protection checks that the Security page and a sign-in from elsewhere agree: on, or not on, and nothing between.
func (j *journey) protection(state string) {
	j.t.Helper()
	page := j.Do("GET", servertest.Security, nil).Want(http.StatusOK)
	mfa := page.Body["mfa"].(map[string]any)
	if mfa["state"] != state {
		j.t.Fatalf("2-step verification is %v, want %s", mfa["state"], state)
	}
	apps, codes, asked := 0, 0.0, "signed_in"
	if state == "on" {
		apps, codes, asked = 1, 10, "second_step"
	}
	if total := mfa["backup_codes"].(map[string]any)["total"]; len(mfa["factors"].([]any)) != apps || total != codes {
		j.t.Fatalf("%s with %s", state, page.Raw)
	}
	elsewhere := servertest.Browse(j.t, servertest.Safari, j.process.URL)
	if came := elsewhere.Password(adaEmail).Want(http.StatusOK).Text("state"); came != asked {
		j.t.Fatalf("signing in elsewhere: %s, want %s", came, asked)
	}
}

// TestKilledBetweenSteps is issue 3, section 8: kill -9 between every two steps of the enrolment and of a sign-in loses
// nothing that was answered and never leaves somebody half protected. Rows 12 and 44: what was used, and what was
// counted, is so after it.
func TestKilledBetweenSteps(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	restart := func() *process { return serve(t, data) }
	j := &journey{t: t, restart: restart, process: restart()}
	j.Client = servertest.Browse(t, servertest.Firefox, j.process.URL)

	first := j.process.token()
	j.crash()
	j.setUp(first) // the link from before the crash is as good as the new one, for its hour
	j.crash()
	j.protection("off")

	begun := j.Do("POST", servertest.Enrolments, map[string]string{"name": "iPhone"}).Want(http.StatusCreated)
	enrolment := begun.Text("id")
	j.crash()
	if secret := j.Do("GET", servertest.Enrolments+"/current", nil).Want(http.StatusOK).Text("secret"); secret != begun.Text("secret") {
		t.Fatal("another secret after the crash")
	}
	j.protection("enrolling")
	app := newWatch(t, begun.Text("secret"))
	j.Confirm(enrolment, another(app.code())).Refused(http.StatusUnprocessableEntity, "code_refused")
	j.crash()
	lost := j.Confirm(enrolment, app.shown()).Want(http.StatusOK).Texts("backup_codes")
	j.crash()
	j.protection("enrolling")
	codes := j.Do("POST", servertest.Enrolments+"/"+enrolment+"/backup-codes", nil).Want(http.StatusOK).Texts("backup_codes")
	j.crash()
	j.protection("enrolling")
	j.Do("POST", servertest.Enrolments+"/"+enrolment+"/activate", nil).Want(http.StatusOK)
	j.crash()
	j.protection("on")

	j.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
	ended := j.Cookie("secondstep_session")
	j.crash()
	if ended != "" {
		t.Error("the session's cookie is left")
	}
	j.Do("GET", "/api/v1/session", nil).Want(http.StatusUnauthorized)
	j.Password(adaEmail).Want(http.StatusOK)
	j.crash()
	j.Do("GET", "/api/v1/sign-in", nil).Want(http.StatusOK)
	j.Code(app.shown()).Diagnosed("already_used") // by the confirmation, before a crash
	j.crash()
	wrong := j.Code(another(app.shown()))
	j.crash()
	left := wrong.Body["diagnosis"].(map[string]any)["attempts_left"].(float64)
	if now := j.Code(lost[0]).Diagnosed("wrong_code")["attempts_left"].(float64); now != left-1 {
		t.Fatalf("%v tries are left after the crash, %v were before", now, left)
	}
	j.crash()
	j.Code(app.code()).Want(http.StatusOK)
	j.crash()
	j.protection("on")
	j.Password(adaEmail).Want(http.StatusOK)
	j.crash()
	j.Code(app.shown()).Diagnosed("already_used")
	j.Code(codes[0]).Want(http.StatusOK)
	j.crash()
	j.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
	j.Prove(codes[0]).Diagnosed("backup_code_used")
	j.crash()
	j.Do("POST", servertest.Security+"/disable", map[string]string{"password": servertest.Password}).Refused(http.StatusForbidden, "app_code_required")
	j.whole(data)
}

// whole stops the server, after which every event is sealed, once: row 72, whatever was killed before.
func (j *journey) whole(data string) {
	j.t.Helper()
	if err := j.process.stop(); err != nil {
		j.t.Error(err)
	}
	events := 0
	within(j.t, data, "", func(ctx context.Context, db *database.Database) {
		if err := db.Read().QueryRowContext(ctx, "SELECT count(*) FROM events").Scan(&events); err != nil {
			j.t.Fatal(err)
		}
	})
	said, err := program("audit", "verify", "--data", data).CombinedOutput()
	if want := fmt.Sprintf("The audit log is whole: %d events", events); err != nil || !strings.HasPrefix(string(said), want) {
		j.t.Errorf("%v: %s, want %s", err, said, want)
	}
}

// TestKilledInABurst kills the server while second steps come in: each that was answered is durable, and no code is
// spent without its session, or the other way round.
func TestKilledInABurst(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	restart := func() *process { return serve(t, data) }
	j := &journey{t: t, restart: restart, process: restart()}
	j.Client = servertest.Browse(t, servertest.Firefox, j.process.URL)
	j.setUp(j.process.token())
	begun := j.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
	codes := j.Confirm(begun.Text("id"), newWatch(t, begun.Text("secret")).code()).Want(http.StatusOK).Texts("backup_codes")
	j.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(http.StatusOK)

	browsers := make([]*servertest.Client, len(codes))
	for n := range browsers {
		browsers[n] = servertest.Browse(t, servertest.Firefox, j.process.URL)
		browsers[n].Password(adaEmail).Want(http.StatusOK)
	}
	answered := make([]bool, len(codes))
	var count atomic.Int32
	var all sync.WaitGroup
	for n, browser := range browsers {
		all.Go(func() {
			answer, err := browser.Try("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": codes[n]})
			if err != nil {
				return // killed before it could answer
			}
			if answer.Status != http.StatusOK {
				t.Errorf("%d %s", answer.Status, answer.Raw)
			}
			answered[n] = true
			if count.Add(1) == 3 {
				j.process.command.Process.Kill()
			}
		})
	}
	all.Wait()
	j.process.kill()
	if n := count.Load(); n < 3 {
		t.Errorf("%d were answered", n)
	}
	within(t, data, "", func(ctx context.Context, db *database.Database) {
		var sessions, spent int
		row := db.Read().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM sessions WHERE signed_in_with LIKE '%backup_code%'),
			(SELECT count(*) FROM backup_codes WHERE used_at IS NOT NULL)`)
		if err := row.Scan(&sessions, &spent); err != nil || sessions != spent || spent < int(count.Load()) {
			t.Errorf("%d sessions of %d spent codes, %d were answered: %v", sessions, spent, count.Load(), err)
		}
	})
	j.process = j.restart()
	for n, browser := range browsers {
		again := browser.On(&servertest.Instance{URL: j.process.URL})
		if answered[n] {
			again.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
		}
	}
	j.whole(data)
}

// TestGracefulStop stops a server in the middle of sign-ins: what has arrived is answered.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--hash-workers", "1")
	j := &journey{t: t, process: p, Client: servertest.Browse(t, servertest.Firefox, p.URL)}
	j.setUp(j.process.token())

	const several = 3
	var sent, done sync.WaitGroup
	for range several {
		sent.Add(1)
		done.Go(func() {
			trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { sent.Done() }}
			body := fmt.Sprintf(`{"email":%q,"password":%q}`, adaEmail, servertest.Password)
			onItsOwn(httptrace.WithClientTrace(t.Context(), trace), t, "POST", p.URL+"/api/v1/sign-in", body)
		})
	}
	sent.Wait()
	// Connections are taken in their order: when this later one is answered, those before have been taken.
	onItsOwn(t.Context(), t, "GET", p.URL+"/healthz", "")
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	done.Wait()
	_, after, found := strings.Cut(p.log.String(), `"msg":"stopping`)
	if !found || !strings.Contains(after, `"route":"/api/v1/sign-in"`) || !strings.Contains(after, `"msg":"stopped"`) {
		t.Errorf("no request was under way when it stopped:\n%s", p.log)
	}
}

// onItsOwn sends a request over a connection that nothing else was sent over, and wants 200.
func onItsOwn(ctx context.Context, t *testing.T, method, url, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	connection := &http.Transport{}
	defer connection.CloseIdleConnections()
	response, err := connection.RoundTrip(request)
	if err != nil {
		t.Errorf("a request that had arrived was dropped: %v", err)
		return
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s %s: status %d", method, url, response.StatusCode)
	}
}

// TestRefusalsToStart are the ends of a start that must be one line.
func TestRefusalsToStart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := serve(t, data)
	line := refused(t, 1, "serve", "--listen", "127.0.0.1:0", "--data", data)
	if !strings.Contains(line, "another serve already runs on "+data) {
		t.Error(line)
	}
	p.kill() // and with it the lock
	p = serve(t, data)
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	within(t, data, "", func(ctx context.Context, db *database.Database) {
		if err := db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO schema_versions (version_id, is_applied) VALUES (9999, TRUE)")
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"user", "list"}} {
		line := refused(t, 1, append(args, "--data", data)...)
		if !strings.Contains(line, "9999") || !strings.Contains(line, "newer") {
			t.Error(line)
		}
	}
}

// TestTwoInstances runs two servers on one PostgreSQL: one browser, another server at every request, and one of them
// killed on the way.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	address, data := databasetest.Postgres(t), t.TempDir()
	start := func() *process { return serve(t, data, "--database-url", address) }
	one, two := start(), start()
	j := &journey{t: t, process: one}
	j.Client = servertest.Browse(t, servertest.Firefox, one.URL, two.URL)
	j.setUp(one.token())
	j.claim(two.token()).Refused(http.StatusGone, "setup_link_expired")
	begun := j.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
	app := newWatch(t, begun.Text("secret"))
	codes := j.Confirm(begun.Text("id"), app.code()).Want(http.StatusOK).Texts("backup_codes")
	j.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(http.StatusOK)
	j.protection("on")
	j.Password(adaEmail).Want(http.StatusOK)
	j.Code(app.shown()).Diagnosed("already_used")
	one.kill()
	j.Client = j.On(&servertest.Instance{URL: two.URL})
	j.Code(app.code()).Want(http.StatusOK)
	one = start()
	j.Client = j.On(&servertest.Instance{URL: one.URL})
	j.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
	j.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
	j.Client = j.On(&servertest.Instance{URL: two.URL})
	j.Do("GET", "/api/v1/session", nil).Want(http.StatusUnauthorized)
	j.Password(adaEmail).Want(http.StatusOK)
	j.Code(codes[9]).Want(http.StatusOK)

	// A data folder of its own has no key ring, or another one.
	stranger := t.TempDir()
	line := refused(t, 1, "serve", "--listen", "127.0.0.1:0", "--data", stranger, "--database-url", address)
	if !strings.Contains(line, "keyring.json is missing") {
		t.Error(line)
	}
	other := program("user", "add", "--data", stranger, "--email", "ben@example.test", "--name", "Ben")
	other.Stdin = strings.NewReader(servertest.Password + "\n")
	if out, err := other.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	line = refused(t, 1, "serve", "--listen", "127.0.0.1:0", "--data", stranger, "--database-url", address)
	if !strings.Contains(line, "the key ring lacks key") {
		t.Error(line)
	}
}

// TestRotationKilled is row 62 with kill -9: `keys rotate` is killed at its first tenth, each time it is run, beside a
// server at which people enrol. Whatever key a secret is under then, it opens; and in the end none is under the old one.
func TestRotationKilled(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	j := &journey{t: t, process: serve(t, data)}
	j.Client = servertest.Browse(t, servertest.Firefox, j.process.URL)
	j.setUp(j.process.token())
	begun := j.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
	app := newWatch(t, begun.Text("secret"))
	const stored = 3000
	ring, err := keyring.OpenExisting(filepath.Join(data, "keyring.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	old := ring.PrimaryID()
	within(t, data, "", func(ctx context.Context, db *database.Database) {
		if err := db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			return storeOld(ctx, tx, ring, j.Do("GET", "/api/v1/session", nil).Body["user"].(map[string]any)["id"].(string), stored)
		}); err != nil {
			t.Fatal(err)
		}
	})
	under := func() (before, after int) {
		within(t, data, "", func(ctx context.Context, db *database.Database) {
			counted, err := keyring.Count(ctx, db.Read(), authenticator.SealedColumns())
			if err != nil {
				t.Fatal(err)
			}
			for id, secrets := range counted {
				if id == old {
					before = secrets
				} else {
					after += secrets
				}
			}
		})
		return before, after
	}

	for last := 0; ; {
		rotate := program("keys", "rotate", "--data", data)
		said, err := rotate.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := rotate.Start(); err != nil {
			t.Fatal(err)
		}
		if lines := bufio.NewScanner(said); lines.Scan() && strings.HasPrefix(lines.Text(), "Sealing anew: 10 %") {
			rotate.Process.Kill()
		}
		ended := rotate.Wait()
		before, after := under()
		if before+after != stored+1 {
			t.Fatalf("%d secrets under the old key and %d under the new one, of %d", before, after, stored+1)
		}
		if ended == nil {
			t.Fatal("it was not killed")
		}
		if after <= last {
			t.Fatalf("%d sealed anew, as many as before: it does not go on", after)
		}
		if last = after; after > stored/3 {
			break
		}
	}
	if said := refused(t, 1, "keys", "retire", fmt.Sprint(old), "--data", data); !strings.Contains(said, "still seals stored secrets") {
		t.Error(said)
	}
	codes := j.Confirm(begun.Text("id"), app.code()).Want(http.StatusOK).Texts("backup_codes") // its secret is under either key
	j.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(http.StatusOK)
	for _, args := range [][]string{{"keys", "rotate", "--data", data}, {"keys", "retire", fmt.Sprint(old), "--data", data}} {
		if said, err := program(args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, said)
		}
	}
	if before, after := under(); before != 0 || after != stored+1 {
		t.Errorf("%d secrets under the old key and %d under the new one", before, after)
	}
	j.restart = func() *process { return serve(t, data) }
	j.crash()
	j.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
	j.Password(adaEmail).Want(http.StatusOK)
	j.Code(app.code()).Want(http.StatusOK)
	if len(codes) != 10 {
		t.Errorf("%d backup codes", len(codes))
	}
}
