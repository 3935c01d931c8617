package protection_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/protection"
	"github.com/secondstep/secondstep/server/servertest"
)

const refusalsPath = "/api/v1/protection/refusals"

// counting runs the upkeep on every instance at once, as minutes do.
func counting(t *testing.T, in *servertest.Installation) {
	t.Helper()
	servertest.Together(2*len(in.Instances), func(n int) {
		if _, err := in.On(n).Upkeep.Once(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// TestWherePeopleGetStuck has people refused for several reasons, some of whom get in afterwards.
func TestWherePeopleGetStuck(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		bossApp := in.Protected("boss@example.test", "administrator")
		mia, ben := in.Protected("mia@example.test", "member"), in.Protected("ben@example.test", "member")
		read := func() map[string]any {
			t.Helper()
			return in.SignedIn("boss@example.test", bossApp, servertest.Firefox).Do("GET", refusalsPath, nil).Want(http.StatusOK).Body
		}
		told := func(body map[string]any) string {
			var list []string
			for _, one := range body["reasons"].([]any) {
				reason := one.(map[string]any)
				list = append(list, fmt.Sprint(reason["reason"], " ", reason["codes"], " ", reason["stops"], " ", reason["got_in"]))
			}
			return strings.Join(list, ", ")
		}
		if body := read(); told(body) != "" || body["counted_until"] != nil || len(body["days"].([]any)) != 30 {
			t.Errorf("before anything was counted: %v", body)
		}

		tries := func(email string) *servertest.Client {
			t.Helper()
			browser := in.Browser(servertest.Safari)
			browser.Password(email).Want(http.StatusOK)
			return browser
		}
		// Mia's phone is slow: refused twice, then she gets in. She is stopped once.
		mia.Behind = 5 * time.Minute
		browser := tries("mia@example.test")
		browser.Code(mia.Code()).Diagnosed("clock_behind")
		in.Clock.NextStep()
		browser.Code(mia.Code()).Diagnosed("clock_behind")
		mia.Behind = 0
		in.Clock.Advance(time.Second) // within a millisecond ids of two instances have no order
		browser.Code(mia.Code()).Want(http.StatusOK)
		in.Clock.NextStep()
		// Ben types codes of something else and gives up; half an hour later it is the same, and then he gets in.
		tries("ben@example.test").Code(ben.Wrong(0)).Diagnosed("wrong_code")
		in.Clock.Advance(30 * time.Minute)
		browser = tries("ben@example.test")
		browser.Code(ben.Wrong(0)).Diagnosed("wrong_code")
		browser.Code("12345").Diagnosed("malformed") // is counted nowhere: it was compared with nothing
		in.Clock.Advance(time.Second)
		browser.Code(ben.Code()).Want(http.StatusOK)
		in.Clock.NextStep()
		// A wrong code as fresh proof stops nobody from getting in, and a wrong password is no second step.
		browser.Prove(ben.Wrong(0)).Diagnosed("wrong_code")
		in.Browser(servertest.Safari).Do("POST", "/api/v1/sign-in", map[string]string{"email": "ben@example.test", "password": "wrong"}).Want(http.StatusUnauthorized)

		counting(t, in)
		if got := told(read()); got != "clock_behind 2 1 1, wrong_code 1 1 0" {
			t.Errorf("what is not ten minutes ago is counted, or counted otherwise: %s", got)
		}
		in.Clock.Advance(12 * time.Minute)
		counting(t, in)
		in.Clock.Advance(2 * time.Minute)
		counting(t, in)
		body := read()
		if got := told(body); got != "wrong_code 2 2 1, clock_behind 2 1 1" {
			t.Errorf("counted: %s", got)
		}
		days := body["days"].([]any)
		if today := days[29].(map[string]any); today["date"] != "2026-03-12" || today["codes"] != 4.0 {
			t.Errorf("today: %v", today)
		}
		if wrong := body["reasons"].([]any)[0].(map[string]any)["days"].([]any); len(wrong) != 30 || wrong[29] != 2.0 || wrong[28] != 0.0 {
			t.Errorf("wrong codes day by day: %v", wrong)
		}

		// The days go by, and 31 of them later nothing of it is told.
		in.Clock.Advance(29 * 24 * time.Hour)
		counting(t, in)
		if first := read()["days"].([]any)[0].(map[string]any); first["codes"] != 4.0 {
			t.Errorf("29 days later: %v", first)
		}
		in.Clock.Advance(24 * time.Hour)
		if got := told(read()); got != "" {
			t.Errorf("30 days later: %s", got)
		}
		in.Clock.Advance(61 * 24 * time.Hour)
		counting(t, in)
		if left := in.Column("SELECT reason FROM refusals"); len(left) != 0 {
			t.Errorf("kept for ever: %v", left)
		}

		member := tries("mia@example.test")
		member.Code(mia.Code()).Want(http.StatusOK)
		member.Do("GET", refusalsPath, nil).Refused(http.StatusForbidden, "not_permitted")
	})
}

// TestCountingCostsByWhatIsNew: many events, of which few are refusals, are not read; and more refusals than one turn takes
// are counted by the next ones, each once.
func TestCountingCostsByWhatIsNew(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		const refused = 300
		began := in.Clock.Now().Add(-time.Minute)
		err := in.First().Database.Write(t.Context(), func(ctx context.Context, tx database.Tx) error {
			for range 100 {
				var batch []string
				for n := range 200 {
					kind, result, reason := "sign_in.completed", "ok", "NULL"
					if n < refused/100 {
						kind, result, reason = "sign_in.second_step", "refused", "'wrong_code'"
					}
					batch = append(batch, fmt.Sprintf("('%s', %d, 1, '%s', '%s', %s, 'P%d')", tx.NewID(), in.Clock.Now().UnixMilli(), kind, result, reason, n%50))
				}
				if _, err := tx.NewRaw("INSERT INTO events (id, at, schema, kind, result, reason, subject_id) VALUES " + strings.Join(batch, ",")).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		in.Clock.Advance(15 * time.Minute)
		for turn, want := range []string{"100", "200", "300", "300"} {
			counting(t, in)
			if got := in.Column("SELECT SUM(codes) FROM refusals"); got[0] != want {
				t.Errorf("after %d turns %s are counted, want %s", turn+1, got[0], want)
			}
			in.Clock.Advance(2 * time.Minute)
		}

		indexes := []string{"events_not_ok", "events_about"}
		for n, query := range slices.Repeat(protection.CountingQueries(in.First().Database.Read(), "P7", began, in.Clock.Now()), 2) {
			if n == len(indexes) {
				in.Change("ANALYZE") // a database may know what is in its tables, or not
			}
			plan := in.Plan(query.String())
			if !strings.Contains(plan, indexes[n%len(indexes)]) || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("query %d is not read along %s:\n%s", n, indexes[n%len(indexes)], plan)
			}
		}
	})
}
