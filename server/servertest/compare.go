package servertest

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
)

// For is the same installation, whose failures are those of a sub-test.
func (in *Installation) For(t testing.TB) *Installation {
	bound := *in
	bound.t = t
	return &bound
}

// Race sends n requests at once, each from the browser on one of the installation's instances in turn.
func (in *Installation) Race(n int, browser *Client, request func(n int, browser *Client) (*Answer, error)) []*Answer {
	in.t.Helper()
	answers, errs := make([]*Answer, n), make([]error, n)
	Together(n, func(turn int) {
		answers[turn], errs[turn] = request(turn, browser.On(in.On(turn)))
	})
	for _, err := range errs {
		if err != nil {
			in.t.Fatal(err)
		}
	}
	return answers
}

// Only gives the one answer of many that has the status, and fails the test where none or several have it, or where
// one is a fault of the server's.
func (in *Installation) Only(status int, answers []*Answer) *Answer {
	in.t.Helper()
	var only *Answer
	count := 0
	for _, answer := range answers {
		if answer.Status >= http.StatusInternalServerError {
			in.t.Errorf("a fault: %d %s", answer.Status, answer.Raw)
		}
		if answer.Status == status {
			only = answer
			count++
		}
	}
	if count != 1 {
		for number, answer := range answers {
			in.t.Logf("%d: %d %s", number, answer.Status, answer.Raw)
		}
		in.t.Fatalf("%d of %d answers have status %d, want exactly one", count, len(answers), status)
	}
	return only
}

// Explains fails the test unless the answer refuses a code with exactly this diagnosis, no member more or less.
func (a *Answer) Explains(want map[string]any) {
	a.t.Helper()
	reason, _ := want["reason"].(string)
	got := a.Diagnosed(reason)
	text, err := json.Marshal(want)
	if err != nil {
		a.t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(text, &plain); err != nil {
		a.t.Fatal(err)
	}
	if !reflect.DeepEqual(got, plain) {
		said, _ := json.Marshal(got)
		a.t.Fatalf("the diagnosis is\n%s, want\n%s", said, text)
	}
}
