package shopifysim

import (
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// What an operation costs in points: a mutation, and each object that a query asks for.
const (
	mutationCost = 10
	objectCost   = 1
)

// execute carries out an operation. The caller holds the lock.
func (s *Sim) execute(query, name string, variables object, call *Call) object {
	document, list := gqlparser.LoadQueryWithRules(s.schema, query, rules.NewDefaultRules())
	if len(list) > 0 {
		return object{"errors": refusals(list)}
	}
	operation := document.Operations.ForName(name)
	if operation == nil || operation.Operation == ast.Subscription {
		return object{"errors": []object{{"message": "No operation named " + name}}}
	}
	call.Operation = operation.Name
	values, err := validator.VariableValues(s.schema, operation, variables)
	if err != nil {
		return object{"errors": []object{refusal(err, "INVALID_VARIABLE")}}
	}
	points := float64(objectCost)
	if operation.Operation == ast.Mutation {
		points = mutationCost
	}
	taken := s.bucket.take(points, s.config.Now())
	if s.throttled > 0 || !taken {
		s.throttled = max(s.throttled-1, 0)
		call.Throttled = true
		return object{
			"errors": []object{{
				"message":    "Throttled",
				"extensions": object{"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
			}},
			"extensions": s.cost(points, nil),
		}
	}
	root := &resolver{sim: s, variables: values}
	data := root.object(operation.SelectionSet, object{"__typename": operation.Operation})
	answer := object{"data": data, "extensions": s.cost(points, points)}
	if len(root.errors) > 0 {
		answer["errors"] = root.errors
	}
	return answer
}

func (s *Sim) cost(requested float64, actual any) object {
	return object{"cost": object{
		"requestedQueryCost": requested, "actualQueryCost": actual,
		"throttleStatus": object{"maximumAvailable": s.bucket.size, "currentlyAvailable": float64(int(s.bucket.level)), "restoreRate": s.bucket.rate},
	}}
}

// unknownField takes the parser's message for a field that a type does not have apart.
const unknownField = `^Cannot query field "(\w+)" on type "(\w+)"`

// refusals are errors of parsing and validation in Shopify's form.
func refusals(list gqlerror.List) []object {
	field := regexp.MustCompile(unknownField)
	out := make([]object, 0, len(list))
	for _, e := range list {
		m := field.FindStringSubmatch(e.Message)
		if m == nil {
			code := ""
			if e.Rule != "" {
				code = string(unicode.ToLower(rune(e.Rule[0]))) + e.Rule[1:]
			}
			out = append(out, refusal(e, code))
			continue
		}
		refused := refusal(e, "undefinedField")
		refused["message"] = "Field '" + m[1] + "' doesn't exist on type '" + m[2] + "'"
		refused["extensions"] = object{"code": "undefinedField", "typeName": m[2], "fieldName": m[1]}
		out = append(out, refused)
	}
	return out
}

func refusal(err error, code string) object {
	out := object{"message": err.Error()}
	var at *gqlerror.Error
	if errors.As(err, &at) {
		out["message"] = at.Message
		var locations []object
		for _, l := range at.Locations {
			locations = append(locations, object{"line": l.Line, "column": l.Column})
		}
		if locations != nil {
			out["locations"] = locations
		}
	}
	if code != "" {
		out["extensions"] = object{"code": code}
	}
	return out
}

// resolver answers one operation.
type resolver struct {
	sim       *Sim
	variables object
	errors    []object
}

// object picks from an object what a selection asks for. Fields of the operation's root are carried out.
func (r *resolver) object(selection ast.SelectionSet, from object) object {
	out := object{}
	for _, sel := range selection {
		switch sel := sel.(type) {
		case *ast.Field:
			if r.skipped(sel.Directives) {
				continue
			}
			out[sel.Alias] = r.value(sel.SelectionSet, r.field(sel, from))
		case *ast.InlineFragment:
			r.fragment(out, sel.Directives, sel.TypeCondition, sel.SelectionSet, from)
		case *ast.FragmentSpread:
			r.fragment(out, sel.Directives, sel.Definition.TypeCondition, sel.Definition.SelectionSet, from)
		}
	}
	return out
}

// fragment adds what a fragment picks, if the object is of its type.
func (r *resolver) fragment(out object, directives ast.DirectiveList, typ string, selection ast.SelectionSet, from object) {
	name, _ := from["__typename"].(string)
	fits := typ == "" || typ == name
	for _, possible := range r.sim.schema.PossibleTypes[typ] {
		fits = fits || possible.Name == name
	}
	if !fits || r.skipped(directives) {
		return
	}
	for k, v := range r.object(selection, from) {
		out[k] = v
	}
}

// skipped obeys @skip and @include.
func (r *resolver) skipped(directives ast.DirectiveList) bool {
	for _, d := range directives {
		yes, _ := d.ArgumentMap(r.variables)["if"].(bool)
		if d.Name == "skip" && yes || d.Name == "include" && !yes {
			return true
		}
	}
	return false
}

// value picks from whatever a field holds.
func (r *resolver) value(selection ast.SelectionSet, v any) any {
	switch v := v.(type) {
	case object:
		return r.object(selection, v)
	case []object:
		out := make([]object, len(v))
		for i, e := range v {
			out[i] = r.object(selection, e)
		}
		return out
	}
	return v
}

// field is the value of one field of an object, or of the operation's root.
func (r *resolver) field(f *ast.Field, from object) any {
	arguments := f.ArgumentMap(r.variables)
	switch {
	case f.ObjectDefinition == r.sim.schema.Mutation && f.Name == "tagsAdd":
		id, _ := arguments["id"].(string)
		return r.sim.tagsAdd(id, texts(arguments["tags"]))
	case f.ObjectDefinition == r.sim.schema.Query && f.Name == "order":
		id, _ := arguments["id"].(string)
		if o := r.sim.orderOf(id); o != nil {
			return o.node()
		}
		return nil
	}
	return from[f.Name]
}

// texts is a list of texts as the parser hands it over; one text stands for a list of one, as in GraphQL.
func texts(v any) []string {
	var out []string
	switch v := v.(type) {
	case string:
		out = []string{v}
	case []string:
		out = v
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
	}
	var split []string // Shopify takes each text for a list with commas
	for _, s := range out {
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				split = append(split, part)
			}
		}
	}
	return split
}
