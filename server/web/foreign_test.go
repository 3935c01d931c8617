package web_test

import (
	"context"
	"testing"

	"github.com/secondstep/secondstep/server/web"
)

type foreignInput struct {
	Body struct {
		Credential web.Foreign `json:"credential"`
	}
}

func TestForeignObjects(t *testing.T) {
	h := serve(t, nil, func(api *web.API) {
		web.Register(api, web.Public, op("POST", "/api/v1/foreign"), func(_ context.Context, _ web.Caller, in *foreignInput) (*textOutput, error) {
			return text(string(in.Body.Credential)), nil
		})
	})
	for name, one := range map[string]struct{ sent, code string }{
		"any members, as they came": {`{"id":"x","response":{"list":[1,true,null,{"a":"b"}],"n":-1.5e3}, "id2":""}`, ""},
		"none":                      {`{}`, ""},
		"text":                      {`"{}"`, "malformed_body"},
		"a list":                    {`[]`, "malformed_body"},
		"nothing":                   {`null`, "malformed_body"},
		"a repeated member":         {`{"id":"x","id":"y"}`, "malformed_body"},
		"one repeated by an escape": {`{"id":"x","\u0069d":"y"}`, "malformed_body"},
		"one repeated deep inside":  {`{"a":[{"b":{"c":1,"c":2}}]}`, "malformed_body"},
		"half a character":          {`{"a":["\ud800"]}`, "malformed_body"},
		"a control character":       {`{"a":{"b":"\u0000"}}`, "invalid_input"},
		"one in a name":             {`{"a\u0001":1}`, "invalid_input"},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.call("POST", "/api/v1/foreign", `{"credential":`+one.sent+`}`).json(t)
			if one.code == "" && got["text"] != one.sent || one.code != "" && got["code"] != one.code {
				t.Errorf("%v", got)
			}
		})
	}
}
