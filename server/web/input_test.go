package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/web"
)

// parameters is an input of every kind of parameter.
type parameters struct {
	web.PersonPath
	Words string    `query:"words" maxLength:"5"`
	State string    `query:"state" enum:"open,done"`
	Limit int       `query:"limit" minimum:"1" maximum:"100" default:"25"`
	Done  bool      `query:"done"`
	From  time.Time `query:"from"`
}

func TestParameters(t *testing.T) {
	h := serve(t, nil, func(api *web.API) {
		web.Register(api, web.Public, op("GET", "/api/v1/people/{id}/things"), func(_ context.Context, _ web.Caller, in *parameters) (*textOutput, error) {
			from := ""
			if !in.From.IsZero() {
				from = in.From.UTC().Format(time.RFC3339)
			}
			return text(fmt.Sprintf("%s|%s|%s|%d|%t|%s", in.ID, in.Words, in.State, in.Limit, in.Done, from)), nil
		})
	})
	cases := map[string]struct {
		path string
		want string // the text, or the status, the field and what is wrong with it
	}{
		"none":               {"me/things", "me|||25|false|"},
		"all":                {"me/things?words=%C3%A4+b&state=done&limit=3&done=true&from=2026-01-02T03:04:05%2B02:00", "me|ä b|done|3|true|2026-01-02T01:04:05Z"},
		"empty is not there": {"me/things?words=&state=&limit=&done=&from=", "me|||25|false|"},
		"symbols count":      {"me/things?words=%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80", "me|😀😀😀😀😀||25|false|"},

		"too long":           {"me/things?words=123456", "422 words too_long"},
		"path too long":      {strings.Repeat("x", 41) + "/things", "422 id too_long"},
		"not of the list":    {"me/things?state=lost", "422 state invalid"},
		"too small":          {"me/things?limit=0", "422 limit invalid"},
		"too large":          {"me/things?limit=101", "422 limit invalid"},
		"no number":          {"me/things?limit=many", "422 limit invalid"},
		"a fraction":         {"me/things?limit=1.5", "422 limit invalid"},
		"past all numbers":   {"me/things?limit=99999999999999999999", "422 limit invalid"},
		"neither yes nor no": {"me/things?done=perhaps", "422 done invalid"},
		"no time":            {"me/things?from=yesterday", "422 from invalid"},
		"a date alone":       {"me/things?from=2026-01-02", "422 from invalid"},
		"every one of them":  {"me/things?limit=0&done=perhaps", "422 limit invalid, done invalid"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := h.call("GET", "/api/v1/people/"+c.path, "")
			said := got.json(t)
			if got.status == http.StatusOK {
				if said["text"] != c.want {
					t.Errorf("got %v", said["text"])
				}
				return
			}
			var wrong []string
			fields, _ := said["fields"].([]any)
			for _, one := range fields {
				field, _ := one.(map[string]any)
				wrong = append(wrong, fmt.Sprint(field["name"], " ", field["code"]))
			}
			if what := fmt.Sprint(got.status, " ", strings.Join(wrong, ", ")); what != c.want {
				t.Errorf("got %s: %s", what, got.body)
			}
		})
	}
}
