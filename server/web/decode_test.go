package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

// everything is an input of every kind of value.
type everything struct {
	ID    string `path:"id"`
	Query string `query:"query" maxLength:"5"`
	Limit int    `query:"limit" minimum:"1" maximum:"100"`
	Body  struct {
		Name  string   `json:"name" minLength:"2" maxLength:"4"`
		Code  *string  `json:"code,omitempty"`
		Count int      `json:"count,omitempty"`
		Ratio float64  `json:"ratio,omitempty"`
		Sure  bool     `json:"sure,omitempty"`
		Role  string   `json:"role,omitempty" enum:"member,administrator"`
		Tags  []string `json:"tags,omitempty" maxItems:"2" nullable:"false"`
		Inner *inner   `json:"inner,omitempty"`
		At    string   `json:"at,omitempty" format:"date-time"`
	}
}

type inner struct {
	Deep  string  `json:"deep" minLength:"1"`
	Again []inner `json:"again,omitempty" nullable:"false"`
}

type everythingOutput struct {
	Body struct {
		Got json.RawMessage `json:"got"`
	}
}

func takeAll(_ context.Context, _ web.Caller, in *everything) (*everythingOutput, error) {
	raw, err := json.Marshal(in.Body)
	out := &everythingOutput{}
	out.Body.Got = raw
	return out, err
}

type optionalInput struct {
	Body *struct {
		Name string `json:"name,omitempty"`
	}
}

func takeOptional(_ context.Context, _ web.Caller, in *optionalInput) (*textOutput, error) {
	if in.Body == nil {
		return text("none"), nil
	}
	return text(in.Body.Name), nil
}

func readingHouse(t *testing.T) *house {
	return serve(t, nil, func(api *web.API) {
		web.Register(api, web.Public, op("POST", "/api/v1/things/{id}"), takeAll)
		web.Register(api, web.Public, op("POST", "/api/v1/optional"), takeOptional)
		web.Register(api, web.Public, op("POST", "/api/v1/bodiless"), sayHello)
	})
}

// canary must never come back, nor reach the log.
const canary = "CANARY5d1f"

func TestReading(t *testing.T) {
	h := readingHouse(t)
	nest := func(n int) string {
		return `{"name":"ab","inner":` + strings.Repeat(`{"deep":"d","again":[`, n) + strings.Repeat(`]}`, n) + `}`
	}
	cases := map[string]struct {
		body string
		want string // "ok", or the code, with fields after it
	}{
		"all":                       {`{"name":"ab","code":"x","count":-3,"ratio":1.5e2,"sure":true,"role":"member","tags":["a","b"],"inner":{"deep":"d"},"at":"2026-01-02T03:04:05.678Z"}`, "ok"},
		"white space all over":      {" {\r\n\t\"name\" : \"ab\" , \"tags\" : [ \"a\" , \"b\" ] } \n", "ok"},
		"escapes":                   {`{"\u006eame":"\u00e4\ud83d\ude00\"\\"}`, "ok"},
		"null is absent":            {`{"name":"ab","code":null,"count":null,"tags":null,"inner":null}`, "ok"},
		"nested":                    {nest(20), "ok"},
		"unicode counts as symbols": {`{"name":"😀😀😀😀"}`, "ok"},

		"empty":                       {``, "400 malformed_body"},
		"not JSON":                    {canary, "400 malformed_body"},
		"cut off":                     {`{"name":"` + canary, "400 malformed_body"},
		"trailing value":              {`{"name":"ab"} {"a":"` + canary + `"}`, "400 malformed_body"},
		"trailing text":               {`{"name":"ab"}` + canary, "400 malformed_body"},
		"trailing comma":              {`{"name":"ab",}`, "400 malformed_body"},
		"comment":                     {`{"name":"ab"/*` + canary + `*/}`, "400 malformed_body"},
		"repeated":                    {`{"name":"ab","name":"` + canary + `"}`, "400 malformed_body"},
		"repeated by escape":          {`{"name":"ab","n\u0061me":"` + canary + `"}`, "400 malformed_body"},
		"repeated deep":               {`{"name":"ab","inner":{"deep":"a","again":[{"deep":"b","deep":"` + canary + `"}]}}`, "400 malformed_body"},
		"unknown":                     {`{"name":"ab","` + canary + `":1}`, "400 unknown_field"},
		"unknown in an array":         {`{"name":"ab","inner":{"deep":"a","again":[{"deep":"b","` + canary + `":{}}]}}`, "400 unknown_field"},
		"privileged":                  {`{"name":"ab","is_admin":true}`, "400 unknown_field"},
		"other case":                  {`{"Name":"` + canary + `"}`, "400 unknown_field"},
		"both cases":                  {`{"name":"ab","NAME":"` + canary + `"}`, "400 unknown_field"},
		"schema link":                 {`{"name":"ab","$schema":"` + canary + `"}`, "400 unknown_field"},
		"empty key":                   {`{"name":"ab","":1}`, "400 unknown_field"},
		"control character in a key":  {`{"name":"ab","na\u0000me":1}`, "400 unknown_field"},
		"prototype":                   {`{"name":"ab","__proto__":{"a":1}}`, "400 unknown_field"},
		"array for the whole":         {`["` + canary + `"]`, "400 malformed_body"},
		"string for the whole":        {`"` + canary + `"`, "400 malformed_body"},
		"null for the whole":          {`null`, "400 malformed_body"},
		"number for a string":         {`{"name":123456}`, "400 malformed_body"},
		"null for a string":           {`{"name":null}`, "400 malformed_body"},
		"array for a string":          {`{"name":["` + canary + `"]}`, "400 malformed_body"},
		"object for a string":         {`{"name":{"a":"` + canary + `"}}`, "400 malformed_body"},
		"string for a number":         {`{"name":"ab","count":"` + canary + `"}`, "400 malformed_body"},
		"fraction for an integer":     {`{"name":"ab","count":1.5}`, "400 malformed_body"},
		"exponent for an integer":     {`{"name":"ab","count":1e2}`, "400 malformed_body"},
		"huge integer":                {`{"name":"ab","count":99999999999999999999}`, "400 malformed_body"},
		"huge number":                 {`{"name":"ab","ratio":1e999}`, "400 malformed_body"},
		"string for a boolean":        {`{"name":"ab","sure":"true"}`, "400 malformed_body"},
		"string for an array":         {`{"name":"ab","tags":"` + canary + `"}`, "400 malformed_body"},
		"number in an array":          {`{"name":"ab","tags":[1]}`, "400 malformed_body"},
		"null in an array":            {`{"name":"ab","tags":[null]}`, "400 malformed_body"},
		"boolean for an object":       {`{"name":"ab","inner":true}`, "400 malformed_body"},
		"invalid UTF-8":               {"{\"name\":\"ab" + canary + "\xff\"}", "400 malformed_body"},
		"overlong UTF-8":              {"{\"name\":\"\xc0\x80\"}", "400 malformed_body"},
		"byte order mark":             {"\ufeff{\"name\":\"ab\"}", "400 malformed_body"},
		"raw control character":       {"{\"name\":\"a\x01b\"}", "400 malformed_body"},
		"half a pair":                 {`{"name":"a\ud800"}`, "400 malformed_body"},
		"half a pair, then another":   {`{"name":"\ud800\u0041"}`, "400 malformed_body"},
		"the other half":              {`{"name":"\udc00a"}`, "400 malformed_body"},
		"too deep":                    {strings.Repeat("[", 12000), "400 malformed_body"},
		"NUL":                         {`{"name":"a\u0000b"}`, "422 invalid_input name=invalid"},
		"new line":                    {`{"name":"ab","code":"123456\n"}`, "422 invalid_input code=invalid"},
		"tab":                         {`{"name":"a\tb"}`, "422 invalid_input name=invalid"},
		"escape":                      {`{"name":"a\u001b[2J"}`, "422 invalid_input name=invalid"},
		"DEL":                         {"{\"name\":\"a\x7f\"}", "422 invalid_input name=invalid"},
		"escaped DEL":                 {`{"name":"a\u007f"}`, "422 invalid_input name=invalid"},
		"C1":                          {"{\"name\":\"a\u0085\"}", "422 invalid_input name=invalid"},
		"escaped C1":                  {`{"name":"a\u009b"}`, "422 invalid_input name=invalid"},
		"control character in a list": {`{"name":"ab","tags":["a","` + canary + `\u0007"]}`, "422 invalid_input tags[1]=invalid"},
		"control character deep":      {`{"name":"ab","inner":{"deep":"a","again":[{"deep":"\u0007"}]}}`, "422 invalid_input inner.again[0].deep=invalid"},
		"missing":                     {`{}`, "422 invalid_input name=required"},
		"missing deep":                {`{"name":"ab","inner":{}}`, "422 invalid_input inner.deep=required"},
		"too short":                   {`{"name":"a"}`, "422 invalid_input name=too_short{min:2}"},
		"too long":                    {`{"name":"` + canary + `"}`, "422 invalid_input name=too_long{max:4}"},
		"not one of":                  {`{"name":"ab","role":"` + canary + `"}`, "422 invalid_input role=invalid"},
		"not a time":                  {`{"name":"ab","at":"` + canary + `"}`, "422 invalid_input at=invalid"},
		"too many":                    {`{"name":"ab","tags":["a","b","` + canary + `"]}`, "422 invalid_input tags=invalid"},
		"two things":                  {`{"name":"a","role":"` + canary + `"}`, "422 invalid_input name=too_short{min:2} role=invalid"},
		"large":                       {`{"name":"` + strings.Repeat("a", 17<<10) + canary + `"}`, "413 body_too_large"},
		"5 MB":                        {`{"name":"` + strings.Repeat("a", 5<<20) + canary + `"}`, "413 body_too_large"},
		"just too large":              {strings.Repeat(" ", 16<<10) + `{}`, "413 body_too_large"},
		"just not too large":          {`{"name":"ab"}` + strings.Repeat(" ", 16<<10-13), "ok"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			check(t, h.call("POST", "/api/v1/things/1", c.body, "Content-Type", "application/json"), c.want)
		})
	}
	if strings.Contains(h.log.String(), canary) {
		t.Error("what was sent is in the log")
	}
}

func check(t *testing.T, got answer, want string) {
	t.Helper()
	if strings.Contains(got.body, canary) && want != "ok" {
		t.Errorf("what was sent came back: %s", got.body)
	}
	if got.status == 200 {
		if want != "ok" {
			t.Errorf("it was taken: %s", got.body)
		}
		return
	}
	said := got.json(t)
	summary := fmt.Sprintf("%d %v", got.status, said["code"])
	if fields, ok := said["fields"].([]any); ok {
		for _, f := range fields {
			f := f.(map[string]any)
			summary += fmt.Sprintf(" %v=%v", f["name"], f["code"])
			if params, ok := f["params"].(map[string]any); ok {
				for k, v := range params {
					summary += fmt.Sprintf("{%s:%v}", k, v)
				}
			}
		}
	}
	if summary != want {
		t.Errorf("got  %s\nwant %s", summary, want)
	}
	if got.header.Get("Content-Type") != "application/problem+json" || got.header.Get("Request-Id") != said["request_id"] {
		t.Errorf("it is no whole problem: %v %s", got.header, got.body)
	}
}

func TestMediaTypes(t *testing.T) {
	h := readingHouse(t)
	cases := map[string][]string{
		"ok":                   {"Content-Type", "application/json"},
		"ok ":                  {"Content-Type", "Application/JSON; charset=UTF-8"},
		"ok  ":                 {"Content-Type", `application/json;charset="utf-8"`},
		"415 json_only":        {"Content-Type", "text/plain"},
		"415 json_only ":       {"Content-Type", "application/x-www-form-urlencoded"},
		"415 json_only  ":      {"Content-Type", "multipart/form-data; boundary=x"},
		"415 json_only   ":     {"Content-Type", "application/problem+json"},
		"415 json_only    ":    {"Content-Type", "application/json; charset=utf-16"},
		"415 json_only     ":   {"Content-Type", ""},
		"415 json_only      ":  {"Content-Type", "text/plain; a=application/json"},
		"415 json_only       ": {"Content-Type", "application/json", "Content-Encoding", "gzip"},
	}
	for want, headers := range cases {
		t.Run(want+headers[1], func(t *testing.T) {
			check(t, h.call("POST", "/api/v1/things/1", `{"name":"ab"}`, headers...), strings.TrimRight(want, " "))
		})
	}
	t.Run("a form with a nested key", func(t *testing.T) {
		check(t, h.call("POST", "/api/v1/things/1", "a.18446744073704=x&a[-1]=x", "Content-Type", "application/x-www-form-urlencoded"), "415 json_only")
	})
}

func TestBodiesThatMayBeMissing(t *testing.T) {
	h := readingHouse(t)
	for _, c := range []struct{ path, body, want string }{
		{"/api/v1/optional", "", "ok"},
		{"/api/v1/optional", "{}", "ok"},
		{"/api/v1/optional", `{"name":"x"}`, "ok"},
		{"/api/v1/optional", `{"name":1}`, "400 malformed_body"},
		{"/api/v1/bodiless", "", "ok"},
		{"/api/v1/bodiless", " {} ", "ok"},
		{"/api/v1/bodiless", `{"x":1}`, "400 unknown_field"},
		{"/api/v1/bodiless", `[]`, "400 malformed_body"},
		{"/api/v1/bodiless", canary, "400 malformed_body"},
	} {
		t.Run(c.path+c.body, func(t *testing.T) { check(t, h.call("POST", c.path, c.body), c.want) })
	}
}

func TestQueryAndPath(t *testing.T) {
	h := readingHouse(t)
	cases := map[string]string{
		"/api/v1/things/1?query=abc&limit=5":          "ok",
		"/api/v1/things/1?query=":                     "ok",
		"/api/v1/things/1?query=%C3%A4+b":             "ok",
		"/api/v1/things/%C3%A4":                       "ok",
		"/api/v1/things/1?" + canary + "=1":           "400 unknown_field",
		"/api/v1/things/1?query=a&query=" + canary:    "400 malformed_request",
		"/api/v1/things/1?query=%zz" + canary:         "400 malformed_request",
		"/api/v1/things/1?query=a;limit=5":            "400 malformed_request",
		"/api/v1/things/1?query=%ff" + canary:         "400 malformed_request",
		"/api/v1/things/1?query=a%00" + canary:        "422 invalid_input query=invalid",
		"/api/v1/things/1?query=a%0a":                 "422 invalid_input query=invalid",
		"/api/v1/things/1?query=a%C2%85":              "422 invalid_input query=invalid",
		"/api/v1/things/1?query=" + canary:            "422 invalid_input query=too_long{max:5}",
		"/api/v1/things/1?limit=" + canary:            "422 invalid_input limit=invalid",
		"/api/v1/things/1?limit=0":                    "422 invalid_input limit=invalid",
		"/api/v1/things/1?limit=99999999999999999999": "422 invalid_input limit=invalid",
		"/api/v1/things/%00" + canary:                 "400 malformed_request",
		"/api/v1/things/a%0d%0aSet-Cookie:x":          "400 malformed_request",
		"/api/v1/things/%ff":                          "400 malformed_request",
		"/api/v1/things/%4x" + canary:                 "400 malformed_request",
		"/api/v1/things/1/" + canary:                  "404 not_found",
		"/api/v1/things/1/":                           "404 not_found",
		"/api/v1/Things/1":                            "404 not_found",
		"/api/v1/" + canary:                           "404 not_found",
		"/api":                                        "404 not_found",
		"/api/../healthz":                             "404 not_found",
	}
	for path, want := range cases {
		t.Run(path, func(t *testing.T) {
			raw := h.raw("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{\"name\":\"ab\"}")
			check(t, parse(t, raw), want)
		})
	}
	if strings.Contains(h.log.String(), canary) {
		t.Error("what was sent is in the log")
	}
}

// parse reads an answer of house.raw.
func parse(t *testing.T, raw string) answer {
	t.Helper()
	head, body, found := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	got := answer{header: http.Header{}, body: body}
	if _, err := fmt.Sscanf(lines[0], "HTTP/1.1 %d", &got.status); err != nil || !found {
		t.Fatalf("no answer: %q", raw)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		got.header.Add(name, value)
	}
	return got
}

func TestWhatCannotBeReadAtAll(t *testing.T) {
	h := readingHouse(t)
	cases := map[string]struct{ sent, want string }{
		"no HTTP":             {canary + "\r\n\r\n", "400 malformed_request"},
		"no version":          {"GET /" + canary + "\r\n\r\n", "400 malformed_request"},
		"a method of ours?":   {canary + " /api/v1/time HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405 method_not_allowed"},
		"TRACE":               {"TRACE /api/v1/time HTTP/1.1\r\nHost: x\r\nX: " + canary + "\r\nConnection: close\r\n\r\n", "405 method_not_allowed"},
		"CONNECT":             {"CONNECT /api/v1/time HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405 method_not_allowed"},
		"long headers":        {"GET / HTTP/1.1\r\nHost: x\r\nX: " + canary + strings.Repeat("x", 9000) + "\r\n\r\n", "431 headers_too_large"},
		"length of no form":   {"POST /api/v1/things/1 HTTP/1.1\r\nHost: x\r\nContent-Length: " + canary + "\r\n\r\n", "400 malformed_request"},
		"body that is short":  {"POST /api/v1/things/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"name\":\"" + canary, "400 malformed_request"},
		"chunked, too large":  {"POST /api/v1/things/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\n" + strings.Repeat("a", 0x5000) + "\r\n0\r\n\r\n", "413 body_too_large"},
		"an absolute address": {"GET http://" + canary + "/api/v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404 not_found"},
		"a strange host":      {"GET /api/v1/x HTTP/1.1\r\nHost: [::" + canary + "\r\nConnection: close\r\n\r\n", "400 malformed_request"},
		"an asterisk":         {"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405 method_not_allowed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := parse(t, h.raw(c.sent))
			check(t, got, c.want)
			if got.header.Get("Content-Security-Policy") == "" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers are missing: %v", got.header)
			}
			if got.status == 405 && name != "an asterisk" && got.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow is %q", got.header.Get("Allow"))
			}
		})
	}
	if strings.Contains(h.log.String(), canary) {
		t.Error("what was sent is in the log")
	}
}

func TestABadRequestAfterAGoodOneIsItsOwn(t *testing.T) {
	h := readingHouse(t)
	raw := h.raw("GET /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n" + canary + "\r\n\r\n")
	first, second, found := strings.Cut(raw, "HTTP/1.1 400")
	if !found {
		t.Fatalf("got %q", raw)
	}
	a, b := parse(t, first), parse(t, "HTTP/1.1 400"+second)
	if a.header.Get("Request-Id") == b.header.Get("Request-Id") {
		t.Error("two requests have one id")
	}
}

func TestEveryInputIsReadStrictly(t *testing.T) {
	// A body that is unknown to Huma's schema would slip through: the decoder
	// and Huma must mean the same operation.
	h := serve(t, nil, func(api *web.API) {
		for _, m := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			web.Register(api, web.Public, huma.Operation{OperationID: m, Method: m, Path: "/api/v1/things/{id}"}, takeAll)
		}
	})
	for _, m := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		check(t, h.call(m, "/api/v1/things/1", `{"name":"ab"}`), "ok")
		check(t, h.call(m, "/api/v1/things/1", `{"name":"ab","name":"ab"}`), "400 malformed_body")
	}
}
