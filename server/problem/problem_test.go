package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/problem"
)

func body(t *testing.T, p *problem.Problem) map[string]any {
	t.Helper()
	raw, err := p.Body("r-1")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestBody(t *testing.T) {
	refused := problem.New(422, "code_refused", "No.")
	cases := map[string]struct {
		p    *problem.Problem
		want string
	}{
		"plain": {refused,
			`{"title":"Unprocessable Entity","status":422,"code":"code_refused","detail":"No.","request_id":"r-1"}`},
		"with an extension": {refused.With("diagnosis", map[string]any{"reason": "wrong_code"}),
			`{"title":"Unprocessable Entity","status":422,"code":"code_refused","detail":"No.","request_id":"r-1","diagnosis":{"reason":"wrong_code"}}`},
		"extensions never replace a member": {refused.With("code", "x").With("status", 200).With("fields", 1),
			`{"title":"Unprocessable Entity","status":422,"code":"code_refused","detail":"No.","request_id":"r-1"}`},
		"seconds are rounded up": {refused.After(1200 * time.Millisecond),
			`{"title":"Unprocessable Entity","status":422,"code":"code_refused","detail":"No.","request_id":"r-1","retry_after_seconds":2}`},
		"fields": {refused.For(problem.Field{Name: "a", Code: "required"}).For(problem.Field{Name: "b", Code: "too_short", Params: map[string]any{"min": 12}}),
			`{"title":"Unprocessable Entity","status":422,"code":"code_refused","detail":"No.","request_id":"r-1",
			"fields":[{"name":"a","code":"required"},{"name":"b","code":"too_short","params":{"min":12}}]}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var want map[string]any
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if got := body(t, c.p); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestTheSharedOneNeverChanges(t *testing.T) {
	shared := problem.New(409, "taken", "Taken.").With("a", 1).For(problem.Field{Name: "x", Code: "y"})
	before := body(t, shared)
	_ = shared.With("b", 2)
	_ = shared.For(problem.Field{Name: "z", Code: "y"})
	_ = shared.For(problem.Field{Name: "q", Code: "y"})
	_ = shared.After(time.Second)
	_ = shared.Because(errors.New("hidden"))
	if after := body(t, shared); !reflect.DeepEqual(before, after) {
		t.Errorf("it changed: %v, then %v", before, after)
	}
	if shared.Unwrap() != nil {
		t.Error("it got a cause")
	}
}

func TestTheCauseIsLoggedAndNeverSent(t *testing.T) {
	cause := errors.New("disk canary-7f3a")
	for name, p := range map[string]*problem.Problem{
		"fault":        problem.Fault(cause),
		"of an error":  problem.Of(fmt.Errorf("around: %w", cause)),
		"of a problem": problem.Of(fmt.Errorf("around: %w", problem.New(503, "busy", "Busy.").Because(cause))),
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := p.Body("r-1")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(raw), "canary") {
				t.Errorf("the cause is in the body: %s", raw)
			}
			if !strings.Contains(p.Error(), "canary") {
				t.Errorf("the cause is not for the log: %s", p.Error())
			}
			if !errors.Is(p, cause) {
				t.Error("the cause is not in the chain")
			}
		})
	}
}

func TestOf(t *testing.T) {
	busy := problem.New(503, "busy", "Busy.")
	if got := problem.Of(fmt.Errorf("around: %w", busy)); got != busy {
		t.Errorf("Of found %v, not the problem in the chain", got)
	}
	if got := problem.Of(errors.New("x")); got.Status != 500 || got.Code != "internal_fault" {
		t.Errorf("Of made %d %s of a plain error", got.Status, got.Code)
	}
	if !errors.Is(fmt.Errorf("around: %w", busy.After(time.Second)), busy) {
		t.Error("a copy is not its original")
	}
	if errors.Is(busy, problem.New(503, busy.Code, "Another room's sentence.")) {
		t.Error("one code makes two refusals of two rooms the same")
	}
	if errors.Is(busy, problem.New(503, "other", busy.Detail)) {
		t.Error("problems of different codes are the same")
	}
}
