package recovery_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/servertest"
)

// twoApprovals is an installation where the link is in the answer, and two have to agree.
var twoApprovals = servertest.Options{Recovery: recovery.Settings{Approvals: 2}}

// lost is somebody's recovery, with a browser for each thing that can become of it.
type lost struct {
	*world
	email, ticket, link string

	signedIn       *servertest.Client // can stop it
	halfway        *servertest.Client // can give an old second step
	recovering     *servertest.Client // can redeem the link, and enrol
	administrators [2]*servertest.Client
}

// losing adds so many members, each with a request that two administrators can decide now.
func losing(t *testing.T, in *servertest.Installation, members int) []*lost {
	t.Helper()
	w := people(t, in, boss, other)
	return w.losing(members)
}

func (w *world) losing(members int) []*lost {
	w.t.Helper()
	in := w.Installation
	all := make([]*lost, members)
	for n := range all {
		l := &lost{world: w, email: fmt.Sprintf("mia%d@example.test", len(w.apps))}
		w.apps[l.email] = in.Protected(l.email, "member")
		l.ticket = ask(halfway(in, l.email)).Want(http.StatusOK).Text("id")
		all[n] = l
	}
	in.Clock.Advance(24*time.Hour + time.Minute)
	// Sessions of before would be over by now; these are put beside the request without cancelling it.
	in.Change("UPDATE users SET requirement = 'off' WHERE role = 'member'")
	for _, l := range all {
		l.signedIn = in.Browser(servertest.Firefox)
		l.signedIn.Password(l.email).Want(http.StatusOK)
	}
	in.Change("UPDATE users SET requirement = 'allowed' WHERE role = 'member'")
	in.Clock.NextStep()
	administrators := [2]*servertest.Client{w.in(boss), w.in(other)}
	for _, l := range all {
		l.administrators = administrators
		l.halfway, l.recovering = halfway(in, l.email), halfway(in, l.email)
	}
	return all
}

func (l *lost) approve(n int) *servertest.Answer {
	return decide(l.administrators[n], l.ticket, evidence)
}

// take keeps the link that an approval has let out.
func (l *lost) take(answer *servertest.Answer) {
	if link, ok := answer.Body["enrolment_link"].(string); ok {
		_, l.link, _ = strings.Cut(link, "#token=")
	}
}

// whole checks that what is on record of the person is one state and no half of another.
func (l *lost) whole() string {
	l.t.Helper()
	state := l.state(l.email)
	apps := l.Column("SELECT id FROM totp_apps WHERE user_id = ?", l.id(l.email))
	old := slices.Contains(apps, l.apps[l.email].ID)
	if len(apps) != 1 || old == (state == "done") {
		l.t.Errorf("%s, and the apps are %v", state, apps)
	}
	for _, table := range []string{"sessions WHERE confined_to IS NOT NULL AND", "totp_enrolments WHERE"} {
		if left := l.Column("SELECT id FROM "+table+" user_id = ?", l.id(l.email)); len(left) > 0 && state != "approved" {
			l.t.Errorf("%s, with %d left of %s", state, len(left), table)
		}
	}
	ends := l.Column(`SELECT kind FROM events WHERE subject_id = ? AND kind IN ('recovery.refused', 'recovery.stopped', 'recovery.cancelled',
		'recovery.expired', 'recovery.completed')`, l.id(l.email))
	if open := state == "proved" || state == "approved"; open && len(ends) != 0 || !open && len(ends) != 1 {
		l.t.Errorf("%s, and on record: %v", state, ends)
	}
	return state
}

// permutations are all orders of the first n numbers.
func permutations(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, before := range permutations(n - 1) {
		for at := 0; at <= len(before); at++ {
			all = append(all, slices.Insert(slices.Clone(before), at, n-1))
		}
	}
	return all
}

// TestRow80EveryOrder: approve, approve again, stop, sign in and enrol, in each of their 120 orders, on two instances in turn.
func TestRow80EveryOrder(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss, other)
		orders := permutations(5)
		names := []string{"approve", "approve again", "stop", "sign in", "enrol"}
		for chunk := range slices.Chunk(orders, 24) { // while the sessions live
			for n, l := range w.losing(len(chunk)) {
				var told []string
				state, approvals := "proved", 0
				for _, act := range chunk[n] {
					told = append(told, names[act])
					switch act {
					case 0, 1:
						answer := l.approve(act)
						if state != "proved" {
							answer.Refused(409, "recovery_changed")
							break
						}
						l.take(answer.Want(200))
						if approvals++; approvals == 2 {
							state = "approved"
						}
					case 2:
						answer := l.signedIn.Do("POST", own+"/stop", nil)
						switch state {
						case "proved", "approved":
							answer.Want(204)
							state = "stopped"
						case "done":
							answer.Want(401) // the activation has ended that session
						default:
							answer.Refused(404, "no_recovery")
						}
					case 3:
						answer := l.halfway.Code(l.apps[l.email].Code())
						switch state {
						case "done":
							answer.Want(422)
						case "proved", "approved":
							state = "cancelled"
							answer.Want(200)
						default:
							answer.Want(200)
						}
					case 4:
						if state != "approved" {
							redeem(l.recovering, l.anyLink()).Refused(410, "enrolment_link_expired")
							break
						}
						browser, _, activate := l.enrolling()
						browser.Do("POST", activate, nil).Want(200)
						state = "done"
					}
					if got := l.whole(); got != state {
						t.Errorf("%v: %s, want %s", told, got, state)
					}
				}
			}
		}
	}, twoApprovals)
}

// anyLink is the last link that was let out, void or not; one of nobody's where none was.
func (l *lost) anyLink() string {
	if l.link == "" {
		return strings.Repeat("A", 43)
	}
	return l.link
}

// enrolling redeems the link in the browser that waits for it, and goes on to the codes that wait to be saved.
func (l *lost) enrolling() (browser *servertest.Client, phone *servertest.Phone, activate string) {
	l.t.Helper()
	redeem(l.recovering, l.link).Want(http.StatusOK)
	started := l.recovering.Do("POST", servertest.Enrolments, body{}).Want(http.StatusCreated)
	phone = l.Scan(started.Text("secret"))
	l.recovering.Confirm(started.Text("id"), phone.Code()).Want(http.StatusOK)
	return l.recovering, phone, servertest.Enrolments + "/" + started.Text("id") + "/activate"
}

// TestRow80AtOnce: the same things at the same moment, over two instances: one of them wins, and nothing is half done.
func TestRow80AtOnce(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		came := map[string]int{}
		for n, l := range losing(t, in, 24) {
			l.take(l.approve(0).Want(200))
			acts := []func() (*servertest.Answer, error){
				func() (*servertest.Answer, error) {
					return l.administrators[1].On(in.On(n)).Try("POST", "/api/v1/tickets/"+l.ticket+"/decision", evidence)
				},
				func() (*servertest.Answer, error) { return l.signedIn.On(in.On(n+1)).Try("POST", own+"/stop", nil) },
				func() (*servertest.Answer, error) {
					return l.halfway.On(in.On(n)).Try("POST", "/api/v1/sign-in/totp", body{"code": l.apps[l.email].Code()})
				},
			}
			if n%2 == 1 { // the link is out, and an app waits
				l.take(l.approve(1).Want(200))
				browser, _, activate := l.enrolling()
				acts[0] = func() (*servertest.Answer, error) { return browser.On(in.On(n)).Try("POST", activate, nil) }
				acts = append(acts, func() (*servertest.Answer, error) {
					return l.administrators[0].On(in.On(n+1)).Try("POST", "/api/v1/tickets/"+l.ticket+"/link", nil)
				})
			} else {
				acts = append(acts, func() (*servertest.Answer, error) {
					return l.administrators[0].On(in.On(n+1)).Try("POST", "/api/v1/tickets/"+l.ticket+"/decision", refusal)
				})
			}
			answers := make([]*servertest.Answer, len(acts))
			servertest.Together(len(acts), func(turn int) {
				var err error
				if answers[turn], err = acts[turn](); err != nil {
					t.Error(err)
				}
			})
			for turn, answer := range answers {
				if answer == nil || answer.Status >= 500 {
					t.Fatalf("%d: %+v", turn, answer)
				}
			}
			state := l.whole()
			came[state]++
			// Whoever was told that they have ended it has, and a code of before opened a session unless it came too late.
			if stopped := answers[1].Status == 204; stopped != (state == "stopped") {
				t.Errorf("stopping answered %d, and it is %s", answers[1].Status, state)
			}
			if signedIn := answers[2].Status == 200; !signedIn && state != "done" || state == "cancelled" && !signedIn {
				t.Errorf("signing in answered %d, and it is %s", answers[2].Status, state)
			}
			if state == "done" && (n%2 == 0 || answers[0].Status != 200) || state == "approved" || state == "proved" {
				t.Errorf("%s after %d", state, answers[0].Status)
			}
		}
		t.Logf("it came to be %v", came)
	}, twoApprovals)
}

// TestRow80OneOfEach: of two approvals by one administrator, two proofs, two redemptions and two activations at once one counts.
func TestRow80OneOfEach(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		for _, l := range losing(t, in, 4) {
			twice := func(browser *servertest.Client, method, path string, sent any) []*servertest.Answer {
				return in.Race(2, browser, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
					return browser.Try(method, path, sent)
				})
			}
			in.Only(200, twice(l.administrators[0], "POST", "/api/v1/tickets/"+l.ticket+"/decision", evidence))
			if given := l.events(l.email, "recovery.approval_given"); len(given) != 1 {
				t.Errorf("%d approvals", len(given))
			}
			l.take(in.Only(200, twice(l.administrators[1], "POST", "/api/v1/tickets/"+l.ticket+"/decision", evidence)))
			second := halfway(in, l.email)
			answers := in.Race(2, l.recovering, func(n int, browser *servertest.Client) (*servertest.Answer, error) {
				if n == 1 {
					browser = second.On(in.On(n))
				}
				return browser.Try("POST", "/api/v1/sign-in/enrolment-link", body{"token": l.link})
			})
			in.Only(200, answers)
			if answers[1].Status == 200 {
				l.recovering = second
			}
			started := l.recovering.Do("POST", servertest.Enrolments, body{}).Want(201)
			l.recovering.Confirm(started.Text("id"), in.Scan(started.Text("secret")).Code()).Want(200)
			in.Only(200, twice(l.recovering, "POST", servertest.Enrolments+"/"+started.Text("id")+"/activate", nil))
			if got := l.whole(); got != "done" {
				t.Errorf("%s", got)
			}
		}
	}, twoApprovals)
}

// TestRow80TwoProofsAtOnce: the mailbox and a signed-in browser at the same moment are one proof; with a stop beside them it is over.
func TestRow80TwoProofsAtOnce(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		signedIn := w.in(mia)
		in.Mails()
		browser, _, tokens := w.asked(mia)
		answers := in.Race(2, signedIn, func(n int, signedIn *servertest.Client) (*servertest.Answer, error) {
			if n == 0 {
				return signedIn.Try("POST", own+"/confirm", body{"password": servertest.Password})
			}
			return browser.On(in.On(n)).Try("POST", path+"/proof", body{"token": tokens["recovery"]})
		})
		in.Only(200, answers)
		if got := w.events(mia, "recovery.proved"); len(got) != 1 || w.state(mia) != "proved" {
			t.Errorf("%v", got)
		}
		answers = in.Race(2, signedIn, func(n int, signedIn *servertest.Client) (*servertest.Answer, error) {
			if n == 0 {
				return signedIn.Try("POST", own+"/stop", nil)
			}
			return in.Browser(servertest.Firefox).On(in.On(n)).Try("POST", "/api/v1/stop", body{"token": tokens["stop"]})
		})
		if w.state(mia) != "stopped" || len(w.events(mia, "recovery.stopped")) != 1 {
			t.Errorf("%s %s", answers[0].Raw, answers[1].Raw)
		}
	}, withMail)
}
