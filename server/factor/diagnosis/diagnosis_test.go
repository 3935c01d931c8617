package diagnosis

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
)

// The people of these tests have an app in use, one being enrolled, and older ones. Nine seconds of the present step
// have gone by, so the next code shows in 21.
const present = 59_000_000

var (
	now     = totp.Begin(present).Add(9 * time.Second)
	here    = []byte("this browser")
	there   = []byte("that browser")
	morning = time.Date(2026, 2, 3, 8, 30, 0, 0, time.UTC)
)

func key(name string) []byte { return fmt.Appendf(nil, "%-20s", name) }

func phone() Secret {
	return Secret{
		ID: "phone", Name: "Phone", Label: "MailMachine: ada@example.test", State: Active, Key: key("ada's phone"),
		LastStep: present - 100, LastUsedAt: now.Add(-50 * time.Minute),
	}
}

func tablet() Secret {
	return Secret{
		ID: "tablet", Name: "Tablet", Label: "MailMachine: ada@example.test (2)", State: Active, Key: key("ada's tablet"),
		LastStep: present - 9000, LastUsedAt: now.Add(-75 * time.Hour),
	}
}

func newPhone() Secret {
	return Secret{ID: "new", Name: "New phone", Label: "MailMachine: ada@example.test (3)", State: Pending, Key: key("new phone")}
}

func oldPhone() Secret {
	return Secret{
		ID: "old", Name: "Old phone", Label: "MailMachine: ada@old.test", State: Retired, Key: key("old phone"), RetiredAt: morning, Why: Replaced,
	}
}

func olderPhone() Secret {
	return Secret{
		ID: "older", Name: "Older phone", Label: "MailMachine: ada@older.test", State: Retired, Key: key("older phone"),
		RetiredAt: morning.AddDate(0, -1, 0), Why: Removed,
	}
}

// of gives the code that a secret has at a distance from the present step.
func of(s Secret, distance int64) string { return totp.Code(s.Key, present+distance) }

func at(s Secret, last int64, spent map[int64]Spent) Secret {
	s.LastStep = present + last
	s.LastUsedAt = now.Add(-time.Minute)
	s.Spent = map[int64]Spent{}
	for distance, how := range spent {
		s.Spent[present+distance] = how
	}
	return s
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every row of guidance.md's table of app codes that is decided here; want is the refusal as the client reads it.
func TestRefusals(t *testing.T) {
	usedHere := Spent{At: now.Add(-40 * time.Second), Browser: "Firefox on Linux", BrowserID: here}
	usedThere := Spent{At: morning, Browser: "Safari on iPhone", BrowserID: there}
	burnedHere := Spent{At: now.Add(-40 * time.Second), Browser: "Firefox on Linux", BrowserID: here, Burned: true}
	usedSomewhere := Spent{At: morning, Browser: "Safari on iPhone"}
	for _, c := range []struct {
		name      string
		secrets   []Secret
		code      string
		enrolling string
		narrow    bool // a window of 0
		unknown   bool // the browser has no id
		browser   time.Duration
		want      string
		burn      *Burn
	}{
		{
			name: "six digits that mean nothing", secrets: []Secret{tablet(), phone(), oldPhone()}, code: of(phone(), 25),
			want: `{"reason":"wrong_code","setup_label":"MailMachine: ada@example.test","other_labels":["MailMachine: ada@example.test (2)"]}`,
		}, {
			name: "nothing while enrolling", secrets: []Secret{phone(), newPhone()}, enrolling: "new", code: of(newPhone(), -25),
			want: `{"reason":"wrong_code","setup_label":"MailMachine: ada@example.test (3)"}`,
		}, {
			name: "nothing, of nobody's", code: "123456",
			want: `{"reason":"wrong_code"}`,
		}, {
			name: "not even a code", secrets: []Secret{phone()}, code: "",
			want: `{"reason":"wrong_code","setup_label":"MailMachine: ada@example.test"}`,
		}, {
			name: "used here", secrets: []Secret{at(phone(), 0, map[int64]Spent{0: usedHere})}, code: of(phone(), 0),
			want: `{"reason":"already_used","next_code_in_seconds":21,"used_here":true}`,
		}, {
			name: "used here, and the phone shows the next already", code: of(phone(), -1),
			secrets: []Secret{at(phone(), -1, map[int64]Spent{-1: usedHere})},
			want:    `{"reason":"already_used","next_code_in_seconds":21,"used_here":true}`,
		}, {
			name: "used here by a phone that is a little ahead", code: of(phone(), 1),
			secrets: []Secret{at(phone(), 1, map[int64]Spent{1: usedHere})},
			want:    `{"reason":"already_used","next_code_in_seconds":51,"used_here":true}`,
		}, {
			name: "used here, and the next one is burned", code: of(phone(), 0),
			secrets: []Secret{at(phone(), 0, map[int64]Spent{0: usedHere, 1: burnedHere, 2: burnedHere})},
			want:    `{"reason":"already_used","next_code_in_seconds":81,"used_here":true}`,
		}, {
			name: "used in another browser", secrets: []Secret{at(phone(), 0, map[int64]Spent{0: usedThere})}, code: of(phone(), 0),
			want: `{"reason":"already_used","next_code_in_seconds":21,"used_at":"2026-02-03T08:30:00Z","used_browser":"Safari on iPhone","used_here":false}`,
		}, {
			name: "used in a browser without an id, asked from one without", unknown: true, code: of(phone(), 0),
			secrets: []Secret{at(phone(), 0, map[int64]Spent{0: usedSomewhere})},
			want:    `{"reason":"already_used","next_code_in_seconds":21,"used_at":"2026-02-03T08:30:00Z","used_browser":"Safari on iPhone","used_here":false}`,
		}, {
			name: "the last step, of which nothing more is known", code: of(phone(), 0), secrets: []Secret{at(phone(), 0, nil)},
			want: fmt.Sprintf(`{"reason":"already_used","next_code_in_seconds":21,"used_at":%q,"used_here":false}`, now.Add(-time.Minute).Format(time.RFC3339)),
		}, {
			name: "burned before, and its time has come", code: of(phone(), 0),
			secrets: []Secret{at(phone(), -100, map[int64]Spent{0: burnedHere})},
			want:    `{"reason":"already_used","next_code_in_seconds":21,"used_here":true}`,
		}, {
			name: "burned before, and its time has not come", code: of(phone(), 10),
			secrets: []Secret{at(phone(), -100, map[int64]Spent{10: burnedHere})},
			want:    `{"reason":"already_used","next_code_in_seconds":21,"used_here":true}`,
		}, {
			name: "used a while ago", secrets: []Secret{at(phone(), 0, map[int64]Spent{-12: usedThere})}, code: of(phone(), -12),
			want: `{"reason":"already_used","next_code_in_seconds":21,"used_at":"2026-02-03T08:30:00Z","used_browser":"Safari on iPhone","used_here":false}`,
		}, {
			name: "older than the last", secrets: []Secret{at(phone(), 0, map[int64]Spent{0: usedHere})}, code: of(phone(), -1),
			want: `{"reason":"older_than_last","next_code_in_seconds":21}`,
		}, {
			name: "older than the last, which was ahead", secrets: []Secret{at(phone(), 1, map[int64]Spent{1: usedHere})}, code: of(phone(), 0),
			want: `{"reason":"older_than_last","next_code_in_seconds":51}`,
		}, {
			name: "older than the last, because our clock was put back", secrets: []Secret{at(phone(), 5, nil)}, code: of(phone(), 0),
			want: `{"reason":"older_than_last","next_code_in_seconds":171}`,
		}, {
			name: "one minute behind", secrets: []Secret{phone()}, code: of(phone(), -2),
			want: `{"reason":"clock_behind","offset_seconds":-60}`,
		}, {
			name: "ten minutes behind, the end of the near search", secrets: []Secret{phone()}, code: of(phone(), -20),
			want: `{"reason":"clock_behind","offset_seconds":-600}`,
		}, {
			name: "one minute ahead", secrets: []Secret{phone()}, code: of(phone(), 2),
			want: `{"reason":"clock_ahead","offset_seconds":60}`, burn: &Burn{"phone", present + 2},
		}, {
			name: "ten minutes ahead", secrets: []Secret{phone()}, code: of(phone(), 20),
			want: `{"reason":"clock_ahead","offset_seconds":600}`, burn: &Burn{"phone", present + 20},
		}, {
			name: "one step behind a window of none", narrow: true, secrets: []Secret{phone()}, code: of(phone(), -1),
			want: `{"reason":"clock_behind","offset_seconds":-30}`,
		}, {
			name: "one step ahead of a window of none", narrow: true, secrets: []Secret{phone()}, code: of(phone(), 1),
			want: `{"reason":"clock_ahead","offset_seconds":30}`, burn: &Burn{"phone", present + 1},
		}, {
			name: "a quarter-hour behind", secrets: []Secret{phone()}, code: of(phone(), -30),
			want: `{"reason":"clock_behind","offset_seconds":-900}`,
		}, {
			name: "an hour ahead", secrets: []Secret{phone()}, code: of(phone(), 120),
			want: `{"reason":"clock_ahead","offset_seconds":3600}`, burn: &Burn{"phone", present + 120},
		}, {
			name: "five and three quarter hours ahead, and a step", secrets: []Secret{phone()}, code: of(phone(), 691),
			want: `{"reason":"clock_ahead","offset_seconds":20730}`, burn: &Burn{"phone", present + 691},
		}, {
			name: "14 hours behind, and a step", secrets: []Secret{phone()}, code: of(phone(), -1681),
			want: `{"reason":"clock_behind","offset_seconds":-50430}`,
		}, {
			name: "14 hours ahead, and a step", secrets: []Secret{phone()}, code: of(phone(), 1681),
			want: `{"reason":"clock_ahead","offset_seconds":50430}`, burn: &Burn{"phone", present + 1681},
		}, {
			name: "14 hours and two steps: too far", secrets: []Secret{phone()}, code: of(phone(), 1682),
			want: `{"reason":"wrong_code","setup_label":"MailMachine: ada@example.test"}`,
		}, {
			name: "14 hours and a quarter: too far", secrets: []Secret{phone()}, code: of(phone(), -1710),
			want: `{"reason":"wrong_code","setup_label":"MailMachine: ada@example.test"}`,
		}, {
			name: "two steps beside a quarter-hour", secrets: []Secret{phone()}, code: of(phone(), 32),
			want: `{"reason":"wrong_code","setup_label":"MailMachine: ada@example.test"}`,
		}, {
			name: "behind, and the browser's clock says the same", browser: -5*time.Minute - 55*time.Second,
			secrets: []Secret{phone()}, code: of(phone(), -10),
			want: `{"reason":"clock_behind","offset_seconds":-300,"server_clock_suspect":true}`,
		}, {
			name: "ahead, and the browser's clock says the same", browser: 5*time.Minute - 60*time.Second,
			secrets: []Secret{phone()}, code: of(phone(), 10), burn: &Burn{"phone", present + 10},
			want: `{"reason":"clock_ahead","offset_seconds":300,"server_clock_suspect":true}`,
		}, {
			name: "behind, and the browser's clock is right", browser: -time.Second,
			secrets: []Secret{phone()}, code: of(phone(), -10),
			want: `{"reason":"clock_behind","offset_seconds":-300}`,
		}, {
			name: "behind, and the browser's clock is off otherwise", browser: -5*time.Minute - 61*time.Second,
			secrets: []Secret{phone()}, code: of(phone(), -10),
			want: `{"reason":"clock_behind","offset_seconds":-300}`,
		}, {
			name: "behind, and the browser's clock is off the other way", browser: 5 * time.Minute,
			secrets: []Secret{phone()}, code: of(phone(), -10),
			want: `{"reason":"clock_behind","offset_seconds":-300}`,
		}, {
			name: "half a minute accuses no server", narrow: true, browser: -30 * time.Second,
			secrets: []Secret{phone()}, code: of(phone(), -1),
			want: `{"reason":"clock_behind","offset_seconds":-30}`,
		}, {
			name: "a replaced app", secrets: []Secret{oldPhone(), tablet(), phone()}, code: of(oldPhone(), 0),
			want: `{"reason":"previous_setup","replaced_at":"2026-02-03T08:30:00Z","setup_state":"replaced","setup_label":"MailMachine: ada@example.test","old_label":"MailMachine: ada@old.test"}`,
		}, {
			name: "a replaced app whose clock is off", secrets: []Secret{phone(), oldPhone()}, code: of(oldPhone(), 15),
			want: `{"reason":"previous_setup","replaced_at":"2026-02-03T08:30:00Z","setup_state":"replaced","setup_label":"MailMachine: ada@example.test","old_label":"MailMachine: ada@old.test"}`,
		}, {
			name: "a replaced app, its spent code", secrets: []Secret{phone(), at(oldPhone(), 0, map[int64]Spent{0: usedHere})}, code: of(oldPhone(), 0),
			want: `{"reason":"previous_setup","replaced_at":"2026-02-03T08:30:00Z","setup_state":"replaced","setup_label":"MailMachine: ada@example.test","old_label":"MailMachine: ada@old.test"}`,
		}, {
			name: "a replaced app while enrolling", enrolling: "new", secrets: []Secret{phone(), newPhone(), oldPhone()}, code: of(oldPhone(), 0),
			want: `{"reason":"previous_setup","replaced_at":"2026-02-03T08:30:00Z","setup_state":"replaced","setup_label":"MailMachine: ada@example.test (3)","old_label":"MailMachine: ada@old.test"}`,
		}, {
			name: "the app in use, while enrolling another", enrolling: "new", secrets: []Secret{phone(), newPhone()}, code: of(phone(), 0),
			want: `{"reason":"previous_setup","setup_state":"in_use","setup_label":"MailMachine: ada@example.test (3)","old_label":"MailMachine: ada@example.test"}`,
			burn: &Burn{"phone", present},
		}, {
			name: "the app in use, ahead, while enrolling another", enrolling: "new", secrets: []Secret{phone(), newPhone()}, code: of(phone(), 7),
			want: `{"reason":"previous_setup","setup_state":"in_use","setup_label":"MailMachine: ada@example.test (3)","old_label":"MailMachine: ada@example.test"}`,
			burn: &Burn{"phone", present + 7},
		}, {
			name: "begun and not finished", secrets: []Secret{newPhone(), phone()}, code: of(newPhone(), 0),
			want: `{"reason":"setup_not_finished","setup_label":"MailMachine: ada@example.test (3)"}`,
		}, {
			name: "begun and not finished, behind", secrets: []Secret{phone(), newPhone()}, code: of(newPhone(), -120),
			want: `{"reason":"setup_not_finished","setup_label":"MailMachine: ada@example.test (3)"}`,
		}, {
			name: "begun and not finished, ahead", secrets: []Secret{phone(), newPhone()}, code: of(newPhone(), 4),
			want: `{"reason":"setup_not_finished","setup_label":"MailMachine: ada@example.test (3)"}`, burn: &Burn{"new", present + 4},
		}, {
			name: "enrolling: the new app is behind", enrolling: "new", secrets: []Secret{phone(), newPhone()}, code: of(newPhone(), -9),
			want: `{"reason":"clock_behind","offset_seconds":-270}`,
		}, {
			name: "enrolling: the new app is ahead", enrolling: "new", secrets: []Secret{phone(), newPhone()}, code: of(newPhone(), 9),
			want: `{"reason":"clock_ahead","offset_seconds":270}`, burn: &Burn{"new", present + 9},
		}, {
			name: "enrolling: used to confirm", enrolling: "new", code: of(newPhone(), 0),
			secrets: []Secret{phone(), at(newPhone(), 0, map[int64]Spent{0: usedThere})},
			want:    `{"reason":"already_used","next_code_in_seconds":21,"used_at":"2026-02-03T08:30:00Z","used_browser":"Safari on iPhone","used_here":false}`,
		}, {
			name: "enrolling: older than the one that confirmed", enrolling: "new", code: of(newPhone(), -1),
			secrets: []Secret{phone(), at(newPhone(), 0, map[int64]Spent{0: usedHere})},
			want:    `{"reason":"older_than_last","next_code_in_seconds":21}`,
		}, {
			name: "enrolling something else", enrolling: "gone", secrets: []Secret{newPhone()}, code: of(newPhone(), 0),
			want: `{"reason":"setup_not_finished","setup_label":"MailMachine: ada@example.test (3)"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := Question{Code: c.code, Now: now, Window: 1, Secrets: c.secrets, Enrolling: c.enrolling, BrowserID: here}
			if c.narrow {
				q.Window = 0
			}
			if c.unknown {
				q.BrowserID = nil
			}
			if c.browser != 0 {
				q.BrowserNow = now.Add(c.browser)
			}
			got := Examine(q)
			if got.Match != nil || got.Diagnosis == nil {
				t.Fatalf("accepted: %+v", got.Match)
			}
			if text := asJSON(t, got.Diagnosis); text != c.want {
				t.Errorf("\n got %s\nwant %s", text, c.want)
			}
			if asJSON(t, got.Burn) != asJSON(t, c.burn) {
				t.Errorf("burned %+v, want %+v", got.Burn, c.burn)
			}
		})
	}
}

// The countdown is never 0, and says the whole second in which the code has surely come.
func TestNextCodeInSeconds(t *testing.T) {
	for _, c := range []struct {
		into time.Duration
		want int
	}{
		{0, 30}, {time.Millisecond, 30}, {time.Second, 29}, {29 * time.Second, 1}, {29*time.Second + 999*time.Millisecond, 1},
	} {
		got := Examine(Question{
			Code: of(phone(), 0), Now: totp.Begin(present).Add(c.into), Window: 1, Secrets: []Secret{at(phone(), 0, nil)},
		})
		if got.Diagnosis == nil || got.Diagnosis.NextCodeInSeconds == nil || *got.Diagnosis.NextCodeInSeconds != c.want {
			t.Errorf("%v into a step: %s", c.into, asJSON(t, got.Diagnosis))
		}
	}
}
