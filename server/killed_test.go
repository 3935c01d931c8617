package server_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

const bobEmail = "bob@example.test"

// frame is what a page takes in the file that SQLite commits to: it is written page by page, so that a process killed
// when some are there dies in the middle of a commit, and a transaction is whole with the last of them.
const frame = 4096 + 24

// walSize is how much of such pages there is.
func walSize(t testing.TB, data string) int64 {
	file, err := os.Stat(filepath.Join(data, database.SQLiteFile+"-wal"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Error(err)
		return 0
	}
	return file.Size()
}

// killWhen kills the process at the moment at which something has come to be so. The answer ends the look, killed or not.
func killWhen(command *exec.Cmd, so func() bool) (giveUp func()) {
	over := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			if so() {
				_ = command.Process.Kill() // or it has ended by itself
				return
			}
		}
	})
	return func() { close(over); looking.Wait() }
}

// written is that the process has written so many pages since now.
func written(t testing.TB, data string, pages int) func() bool {
	before := walSize(t, data)
	return func() bool { return walSize(t, data)-before >= int64(pages)*frame }
}

// ask looks into the database, which nobody else has open, and so leaves it without what was not brought in yet.
func ask(t testing.TB, data, query string, into ...any) {
	t.Helper()
	within(t, data, "", func(ctx context.Context, db *database.Database) {
		if err := db.Read().QueryRowContext(ctx, query).Scan(into...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	})
}

// enrol takes the browser of the journey, or of another, through the wizard.
func enrol(t testing.TB, browser *servertest.Client) *watch {
	t.Helper()
	begun := browser.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
	app := newWatch(t, begun.Text("secret"))
	browser.Confirm(begun.Text("id"), app.code()).Want(http.StatusOK)
	browser.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(http.StatusOK)
	return app
}

// TestKilledWhileImporting is issue 5, section 6: a confirmed import is killed within call after call. A call makes all of
// its people or none; the administrator who sends the same again, as the page does, makes the others and nobody twice,
// reads who is there already, and gives a new link to those whose link was lost on the way.
func TestKilledWhileImporting(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	restart := func() *process { return serve(t, data) }
	j := &journey{t: t, restart: restart, process: restart()}
	j.Client = servertest.Browse(t, servertest.Firefox, j.process.URL)
	j.setUp(j.process.token())
	enrol(t, j.Client)

	const calls, each = 10, 50
	call := func(n int, confirm bool) map[string]any {
		lines := make([]map[string]any, each)
		for i := range lines {
			who := n*each + i
			lines[i] = map[string]any{"line": who + 2, "name": fmt.Sprintf("Person %d", who), "email": fmt.Sprintf("person%d@example.test", who)}
		}
		return map[string]any{"people": lines, "confirm": confirm}
	}
	// states counts what became of the lines of an answer, a bad one's under its reason.
	states := func(answer *servertest.Answer) (counted map[string]int, link string) {
		t.Helper()
		counted = map[string]int{}
		for _, one := range answer.Want(http.StatusOK).Body["lines"].([]any) {
			line := one.(map[string]any)
			if line["state"] == "bad" {
				counted[line["fields"].([]any)[0].(map[string]any)["code"].(string)]++
				continue
			}
			counted[line["state"].(string)]++
			link, _ = line["invitation_link"].(string)
		}
		return counted, link
	}
	joins := func(link string) {
		t.Helper()
		_, token, _ := strings.Cut(link, "#token=")
		servertest.Browse(t, servertest.Safari, j.process.URL).Do("POST", "/api/v1/join/invitation", map[string]string{"token": token}).Want(http.StatusOK)
	}

	const path = "/api/v1/users/import"
	cut, unanswered := 0, 0
	for n := range calls {
		giveUp := killWhen(j.process.command, written(t, data, 1+n*2))
		answer, err := j.Try("POST", path, call(n, true))
		giveUp()
		if err == nil { // quicker than the kill
			if made, _ := states(answer); made["invited"] != each {
				t.Fatalf("call %d: %v", n, made)
			}
		}
		j.process.kill()
		people := 0
		ask(t, data, "SELECT count(*) FROM users WHERE email LIKE 'person%'", &people)
		made := people == (n+1)*each
		if !made && people != n*each || err == nil && !made {
			t.Fatalf("%d people after %d calls, the last of which was answered: %t", people, n+1, err == nil)
		}
		j.crash()
		again, link := states(j.Do("POST", path, call(n, true)))
		switch {
		case !made && again["invited"] == each:
			cut++
			joins(link)
		case made && again["email_taken"] == each:
			if err != nil {
				unanswered++
			}
			listed := j.Do("GET", fmt.Sprintf("/api/v1/users?query=person%d@example.test", n*each), nil).Want(http.StatusOK).Body["users"].([]any)
			renewed := j.Do("POST", "/api/v1/users/"+listed[0].(map[string]any)["id"].(string)+"/invitation", nil).Want(http.StatusCreated)
			joins(renewed.Text("invitation_link"))
		default:
			t.Fatalf("call %d, made: %t, and again: %v", n, made, again)
		}
	}
	if cut+unanswered == 0 {
		t.Error("every call was quicker than its kill: nothing was tested")
	}
	t.Logf("of %d calls %d were cut, %d done and not answered", calls, cut, unanswered)
	for n := range calls {
		if looked, _ := states(j.Do("POST", path, call(n, false))); looked["email_taken"] != each {
			t.Errorf("the file once more, call %d: %v", n, looked)
		}
	}
	j.whole(data)
	var people, open, told int
	ask(t, data, `SELECT (SELECT count(*) FROM users WHERE email LIKE 'person%'), (SELECT count(DISTINCT user_id) FROM invitations WHERE ended_at IS NULL),
		(SELECT count(DISTINCT subject_id) FROM events WHERE kind = 'user.invited') + (SELECT count(*) FROM events WHERE kind = 'user.invited')`, &people, &open, &told)
	if people != calls*each || open != people || told != 2*people {
		t.Errorf("%d people, %d open invitations, on record %d", people, open, told)
	}
}

// TestKilledWhileResetting is issue 5, section 6: a reset that is killed has happened as a whole, on record and with a
// link, or not at all; and doing it again ends well.
func TestKilledWhileResetting(t *testing.T) {
	t.Parallel()
	before := t.TempDir()
	j := &journey{t: t, process: serve(t, before)}
	j.Client = servertest.Browse(t, servertest.Firefox, j.process.URL)
	j.setUp(j.process.token())
	adas := enrol(t, j.Client)
	add := program("user", "add", "--data", before, "--email", bobEmail, "--name", "Bob")
	add.Stdin = strings.NewReader(servertest.Password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bob := servertest.Browse(t, servertest.Safari, j.process.URL)
	bob.Password(bobEmail).Want(http.StatusOK)
	bobs := enrol(t, bob)
	bobID := bob.Do("GET", "/api/v1/session", nil).Body["user"].(map[string]any)["id"].(string)
	if err := j.process.stop(); err != nil {
		t.Fatal(err)
	}
	const cookie = "secondstep_session"
	sessions := [2]string{j.Cookie(cookie), bob.Cookie(cookie)}

	var mu sync.Mutex
	came := map[bool]int{}
	t.Run("at", func(t *testing.T) {
		for _, pages := range []int{1, 2, 4, 8, 16} {
			t.Run(fmt.Sprintf("%d pages", pages), func(t *testing.T) {
				t.Parallel()
				r := &resetting{t: t, data: copied(t, before), bobID: bobID, adas: *adas, bobs: *bobs}
				reset := r.killed(pages, sessions)
				r.again(reset)
				mu.Lock()
				defer mu.Unlock()
				came[reset]++
			})
		}
	})
	if came[false] == 0 {
		t.Error("every reset was quicker than its kill: nothing was tested")
	}
	t.Logf("of the kills %d came before the reset was done, %d after", came[false], came[true])
}

// copied is the folder of an installation as another one.
func copied(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{database.SQLiteFile, "keyring.json"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// resetting is an installation in which Ada resets Bob.
type resetting struct {
	t          *testing.T
	data       string
	bobID      string
	adas, bobs watch
}

// later lets so much time go by that the apps show new codes, without waiting for it.
func (r *resetting) later() {
	r.t.Helper()
	r.adas.last, r.bobs.last = 0, 0
	within(r.t, r.data, "", func(ctx context.Context, db *database.Database) {
		if err := db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			if _, err := tx.ExecContext(ctx, "UPDATE totp_apps SET last_step = 0"); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "DELETE FROM totp_spent_steps")
			return err
		}); err != nil {
			r.t.Fatal(err)
		}
	})
}

func (r *resetting) reset(ada *servertest.Client) (*servertest.Answer, error) {
	return ada.Try("POST", "/api/v1/users/"+r.bobID+"/security/reset", map[string]string{
		"password": servertest.Password, "code": r.adas.code(), "reason": "Lost the phone.",
	})
}

// killed kills the server at so many pages within a reset, and holds what is there then to what it answered.
func (r *resetting) killed(pages int, sessions [2]string) (reset bool) {
	r.t.Helper()
	r.later()
	p := serve(r.t, r.data)
	ada := servertest.Browse(r.t, servertest.Firefox, p.URL)
	ada.Plant("secondstep_session", sessions[0])
	giveUp := killWhen(p.command, written(r.t, r.data, pages))
	answer, failed := r.reset(ada)
	giveUp()
	p.kill()

	var resets, told, links, others int
	ask(r.t, r.data, `SELECT (SELECT count(*) FROM users WHERE reset_at IS NOT NULL), (SELECT count(*) FROM events WHERE kind = 'mfa.reset'),
		(SELECT count(*) FROM enrolment_links), (SELECT count(*) FROM sessions WHERE user_id = '`+r.bobID+`')`, &resets, &told, &links, &others)
	if reset = resets == 1; told != resets || links != resets || others != 1-resets {
		r.t.Errorf("half a reset: %d people, %d on record, %d links, %d sessions of theirs", resets, told, links, others)
	}
	if failed == nil && answer.Want(http.StatusOK) != nil && !reset {
		r.t.Error("it was answered and is lost")
	}
	r.later()
	p = serve(r.t, r.data)
	bob := servertest.Browse(r.t, servertest.Safari, p.URL)
	bob.Plant("secondstep_session", sessions[1])
	if reset {
		bob.Do("GET", "/api/v1/session", nil).Want(http.StatusUnauthorized)
		if state := bob.Password(bobEmail).Want(http.StatusOK).Text("state"); state != "enrolment_link_required" {
			r.t.Errorf("Bob signs in: %s", state)
		}
	} else {
		bob.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
		bob.Prove(r.bobs.code()).Want(http.StatusOK)
	}
	p.kill()
	return reset
}

// again is Ada, who has no answer, signing in and doing it again.
func (r *resetting) again(before bool) {
	r.t.Helper()
	r.later()
	j := &journey{t: r.t, process: serve(r.t, r.data)}
	ada := servertest.Browse(r.t, servertest.Firefox, j.process.URL)
	ada.Password(adaEmail).Want(http.StatusOK)
	ada.Code(r.adas.code()).Want(http.StatusOK)
	answer, err := r.reset(ada)
	if err != nil {
		r.t.Fatal(err)
	}
	_, token, _ := strings.Cut(answer.Want(http.StatusOK).Text("enrolment_link"), "#token=")
	bob := servertest.Browse(r.t, servertest.Safari, j.process.URL)
	bob.Password(bobEmail).Want(http.StatusOK)
	bob.Do("POST", "/api/v1/sign-in/enrolment-link", map[string]string{"token": token}).Want(http.StatusOK)
	enrol(r.t, bob)
	bob.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
	j.whole(r.data)
	var resets, renewed, apps int
	ask(r.t, r.data, `SELECT (SELECT count(*) FROM events WHERE kind = 'mfa.reset'), (SELECT count(*) FROM events WHERE kind = 'enrolment_link.renewed'),
		(SELECT count(*) FROM totp_apps WHERE user_id = '`+r.bobID+`')`, &resets, &renewed, &apps)
	if again := map[bool]int{true: 1}[before]; resets != 1 || renewed != again || apps != 1 {
		r.t.Errorf("on record %d resets and %d links renewed, want 1 and %d; %d apps", resets, renewed, again, apps)
	}
}

// TestKilledWhileSealing is issue 5, section 3, and row 72: whoever seals is killed within one batch after another. A batch
// is sealed as a whole or not at all, the next start goes on with it, and in the end the log is whole.
func TestKilledWhileSealing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := serve(t, data)
	p.token()
	p.kill()
	const events = 1400 // several batches
	within(t, data, "", func(ctx context.Context, db *database.Database) {
		if err := db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			several := make([]audit.Event, events)
			for n := range several {
				several[n] = audit.FromConsole().Is(audit.UserCreated, audit.OK)
			}
			return audit.Record(ctx, tx, several...)
		}); err != nil {
			t.Fatal(err)
		}
	})
	cut, last := 0, 0
	for kills := 0; last < events; kills++ {
		if kills > 120 { // the upkeep of a start writes too, and is nearer to the kill
			t.Fatalf("%d of %d are sealed after %d starts: it does not go on", last, events, kills)
		}
		sealing := program("serve", "--listen", "127.0.0.1:0", "--data", data, "--log-format", "json")
		within(t, data, "", func(ctx context.Context, db *database.Database) {
			far, looks, sealed := written(t, data, 1+kills%8*3), 0, 0
			if err := sealing.Start(); err != nil {
				t.Fatal(err)
			}
			giveUp := killWhen(sealing, func() bool {
				if looks++; looks%256 != 0 { // which is slower, and there for who has less to write than that
					return far()
				}
				err := db.Read().QueryRowContext(ctx, "SELECT count(*) FROM seal_leaves").Scan(&sealed)
				return err != nil || sealed == events
			})
			_ = sealing.Wait() // killed
			giveUp()
		})
		var leaves, hashes, heads int
		ask(t, data, "SELECT (SELECT count(*) FROM seal_leaves), (SELECT count(*) FROM seal_hashes), (SELECT coalesce(max(size), 0) FROM seal_heads)", &leaves, &hashes, &heads)
		if leaves != heads || hashes != 2*leaves-bits.OnesCount(uint(leaves)) || leaves < last {
			t.Fatalf("%d leaves, %d hashes and a signature of %d, after %d", leaves, hashes, heads, last)
		}
		if leaves%256 != 0 && leaves != events {
			t.Fatalf("%d are sealed: half a batch", leaves)
		}
		if leaves == last {
			cut++
		}
		last = leaves
	}
	if cut == 0 {
		t.Error("every batch was quicker than its kill: nothing was tested")
	}
	t.Logf("%d kills came within a batch", cut)
	j := &journey{t: t, process: serve(t, data)}
	j.Client = servertest.Browse(t, servertest.Firefox, j.process.URL)
	j.setUp(j.process.token()) // which is on record too: sealing goes on
	j.whole(data)
	ask(t, data, "SELECT count(*) FROM seal_leaves", &last)
	if last <= events {
		t.Errorf("%d events are sealed: nothing came after", last)
	}
}
