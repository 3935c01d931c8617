package web

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/problem"
)

// Foreign is a JSON object of an input whose members somebody else defines,
// such as what a browser's WebAuthn answers: those may be more tomorrow. It has
// come as one object without repeated members and with sound text; whoever takes
// it reads no member that it does not know.
type Foreign json.RawMessage

// MarshalJSON is the object as it came.
func (f Foreign) MarshalJSON() ([]byte, error) { return json.RawMessage(f).MarshalJSON() }

// UnmarshalJSON keeps the object as it comes; null is as good as absent.
func (f *Foreign) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	return (*json.RawMessage)(f).UnmarshalJSON(raw)
}

// Schema describes an object of any members.
func (Foreign) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// foreign passes a value of an object that is Foreign's.
func (w *walk) foreign(p *place) *problem.Problem {
	switch w.next() {
	case '{':
		return w.foreignObject(p)
	case '[':
		w.at++ // [
		for w.next() != ']' {
			if refusal := w.foreign(p); refusal != nil {
				return refusal
			}
		}
		w.at++ // ]
		return nil
	case '"':
		return refuseText(w.text(), p)
	}
	w.literal()
	return nil
}

func (w *walk) foreignObject(p *place) *problem.Problem {
	w.at++ // {
	seen := map[string]bool{}
	for w.next() != '}' {
		start := w.at
		if refusal := refuseText(w.text(), p); refusal != nil {
			return refusal
		}
		var key string
		if json.Unmarshal(w.body[start:w.at], &key) != nil || seen[key] {
			return malformedBody
		}
		seen[key] = true
		if refusal := w.foreign(p); refusal != nil {
			return refusal
		}
	}
	w.at++ // }
	return nil
}
