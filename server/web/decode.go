package web

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/problem"
)

// check refuses what would be read loosely: the query, the media type, the
// body. It answers nil when it may be read.
func (in *input) check(fctx *requestCtx) *problem.Problem {
	if query := fctx.URI().QueryString(); len(query) > 0 {
		if refusal := in.checkQuery(string(query)); refusal != nil {
			return refusal
		}
	}
	body := fctx.PostBody()
	if len(body) == 0 {
		if in.required {
			return malformedBody
		}
		return nil
	}
	if !isJSON(fctx.Request.Header.ContentType()) || len(fctx.Request.Header.Peek("Content-Encoding")) > 0 {
		return jsonOnly
	}
	if in.body == nil {
		return checkJSON(body, noMembers)
	}
	return checkJSON(body, in.body)
}

// noMembers is {}, which some clients send where nothing is asked for.
var noMembers = &shape{kind: huma.TypeObject}

func (in *input) checkQuery(raw string) *problem.Problem {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return malformedRequest
	}
	for name, sent := range values {
		if !in.query[name] {
			return unknownField
		}
		if len(sent) != 1 {
			return malformedRequest
		}
		if !utf8.ValidString(sent[0]) {
			return malformedRequest
		}
		if !cleanText(sent[0]) {
			return invalidInput.For(problem.Field{Name: name, Code: "invalid"})
		}
	}
	return nil
}

// isJSON accepts application/json, alone or with charset=utf-8.
func isJSON(contentType []byte) bool {
	media, parameter, more := strings.Cut(strings.ToLower(string(contentType)), ";")
	if strings.TrimSpace(media) != "application/json" {
		return false
	}
	if !more {
		return true
	}
	switch strings.TrimSpace(parameter) {
	case "", "charset=utf-8", `charset="utf-8"`:
		return true
	}
	return false
}

// checkJSON refuses a body that is not exactly one JSON value of this shape.
func checkJSON(body []byte, s *shape) *problem.Problem {
	if !utf8.Valid(body) || !json.Valid(body) {
		return malformedBody
	}
	w := walk{body: body}
	return w.value(s, nil)
}

// walk goes through JSON that is known to be valid, so it looks at shapes only.
type walk struct {
	body []byte
	at   int
}

// place is where in the body a value is; names are of our schema.
type place struct {
	in    *place
	name  string
	index int
}

func (p *place) String() string {
	if p == nil {
		return "body"
	}
	if p.name == "" {
		return p.in.String() + "[" + strconv.Itoa(p.index) + "]"
	}
	if p.in == nil {
		return p.name
	}
	return p.in.String() + "." + p.name
}

// next skips white space and what separates values, and answers the byte there.
func (w *walk) next() byte {
	for {
		switch c := w.body[w.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			w.at++
		default:
			return c
		}
	}
}

func (w *walk) value(s *shape, p *place) *problem.Problem {
	switch c := w.next(); c {
	case '{':
		if s.kind != huma.TypeObject {
			return malformedBody
		}
		if s.foreign {
			return w.foreignObject(p)
		}
		return w.object(s, p)
	case '[':
		if s.kind != huma.TypeArray {
			return malformedBody
		}
		return w.array(s, p)
	case '"':
		if s.kind != huma.TypeString {
			return malformedBody
		}
		return refuseText(w.text(), p)
	default:
		literal := w.literal()
		switch {
		case c == 't' || c == 'f':
			if s.kind == huma.TypeBoolean {
				return nil
			}
		case c == 'n':
			if s.nullable {
				return nil
			}
		case s.kind == huma.TypeNumber, s.kind == huma.TypeInteger && !bytes.ContainsAny(literal, ".eE"):
			return nil
		}
		return malformedBody
	}
}

func refuseText(raw []byte, p *place) *problem.Problem {
	switch soundText(raw) {
	case textBroken:
		return malformedBody
	case textControl:
		return invalidInput.For(problem.Field{Name: p.String(), Code: "invalid"})
	}
	return nil
}

func (w *walk) object(s *shape, p *place) *problem.Problem {
	w.at++ // {
	var seen uint64
	for w.next() != '}' {
		key := w.text()
		index, known := s.members[string(key)]
		if !known && bytes.IndexByte(key, '\\') >= 0 {
			var plain string
			if json.Unmarshal(w.body[w.at-len(key)-2:w.at], &plain) == nil {
				index, known = s.members[plain]
			}
		}
		if !known {
			return unknownField
		}
		if seen&(1<<index) != 0 {
			return malformedBody
		}
		seen |= 1 << index
		if w.next() == 'n' && !s.required[index] { // null is as good as absent
			w.literal()
			continue
		}
		here := place{in: p, name: nameAt(s, index)}
		if refusal := w.value(s.values[index], &here); refusal != nil {
			return refusal
		}
	}
	w.at++ // }
	return nil
}

func nameAt(s *shape, index int) string {
	for name, i := range s.members {
		if i == index {
			return name
		}
	}
	return ""
}

func (w *walk) array(s *shape, p *place) *problem.Problem {
	w.at++ // [
	for i := 0; w.next() != ']'; i++ {
		here := place{in: p, index: i}
		if refusal := w.value(s.items, &here); refusal != nil {
			return refusal
		}
	}
	w.at++ // ]
	return nil
}

// text passes a string and answers what is between its quotes.
func (w *walk) text() []byte {
	start := w.at + 1
	for w.at = start; w.body[w.at] != '"'; w.at++ {
		if w.body[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.body[start : w.at-1]
}

// literal passes a number, true, false or null.
func (w *walk) literal() []byte {
	start := w.at
	if n := bytes.IndexAny(w.body[start:], " \t\r\n,]}"); n >= 0 {
		w.at += n
	} else {
		w.at = len(w.body)
	}
	return w.body[start:w.at]
}

type soundness int

const (
	textSound   soundness = iota
	textControl           // a control character, escaped or not
	textBroken            // half of a surrogate pair, which is no character
)

// soundText looks at the inside of a valid JSON string.
func soundText(raw []byte) soundness {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == 0x7f, c == 0xc2 && raw[i+1] < 0xa0: // DEL, U+0080 to U+009F
			return textControl
		case c != '\\':
			continue
		}
		i++
		switch raw[i] {
		case 'b', 'f', 'n', 'r', 't':
			return textControl
		case 'u':
			unit := hexUnit(raw[i+1:])
			i += 4
			switch {
			case unit < 0x20, unit >= 0x7f && unit < 0xa0:
				return textControl
			case unit >= 0xdc00 && unit < 0xe000:
				return textBroken
			case unit >= 0xd800 && unit < 0xdc00:
				if len(raw) < i+7 || raw[i+1] != '\\' || raw[i+2] != 'u' {
					return textBroken
				}
				if low := hexUnit(raw[i+3:]); low < 0xdc00 || low >= 0xe000 {
					return textBroken
				}
				i += 6
			}
		}
	}
	return textSound
}

// hexUnit reads the four digits of a \u escape, which json.Valid has seen.
func hexUnit(raw []byte) uint64 {
	unit, _ := strconv.ParseUint(string(raw[:4]), 16, 16)
	return unit
}
