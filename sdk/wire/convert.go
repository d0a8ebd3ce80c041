package wire

import (
	"strings"
	"time"

	wirev1 "github.com/shophand/shophand/sdk/wire/v1"
)

func outcomeToProto(o Outcome) wirev1.Outcome {
	switch o {
	case Idempotent:
		return wirev1.Outcome_OUTCOME_IDEMPOTENT
	case Keyed:
		return wirev1.Outcome_OUTCOME_KEYED
	case Verify:
		return wirev1.Outcome_OUTCOME_VERIFY
	}
	return wirev1.Outcome_OUTCOME_UNSAFE
}

func outcomeFromProto(o wirev1.Outcome) Outcome {
	switch o {
	case wirev1.Outcome_OUTCOME_IDEMPOTENT:
		return Idempotent
	case wirev1.Outcome_OUTCOME_KEYED:
		return Keyed
	case wirev1.Outcome_OUTCOME_VERIFY:
		return Verify
	}
	return Unsafe
}

func effectToProto(e Effect) wirev1.Effect {
	switch e {
	case Message:
		return wirev1.Effect_EFFECT_MESSAGE
	case Money:
		return wirev1.Effect_EFFECT_MONEY
	case Stock:
		return wirev1.Effect_EFFECT_STOCK
	}
	return wirev1.Effect_EFFECT_NONE
}

func effectFromProto(e wirev1.Effect) Effect {
	switch e {
	case wirev1.Effect_EFFECT_MESSAGE:
		return Message
	case wirev1.Effect_EFFECT_MONEY:
		return Money
	case wirev1.Effect_EFFECT_STOCK:
		return Stock
	}
	return NoEffect
}

// codes lists the failure codes at the index of their protobuf number.
func codes() []Code {
	return []Code{Internal, InvalidInput, Unauthorized, NotFound, Conflict, RateLimited, Unavailable}
}

func failureToProto(f *Failure) *wirev1.Failure {
	if f == nil {
		return nil
	}
	out := &wirev1.Failure{Message: strings.ToValidUTF8(f.Message, "\uFFFD"), Permanent: f.Permanent, Unknown: f.Unknown}
	if f.RetryAfter > 0 { // rounded up, so that "not before" holds
		out.RetryAfterMs = int64((f.RetryAfter + time.Millisecond - 1) / time.Millisecond)
	}
	for i, c := range codes() {
		if c == f.Code {
			out.Code = wirev1.Code(i)
		}
	}
	return out
}

func failureFromProto(f *wirev1.Failure) *Failure {
	if f == nil {
		return nil
	}
	out := &Failure{Code: Internal, Message: f.Message, Permanent: f.Permanent, Unknown: f.Unknown}
	if known := codes(); f.Code >= 0 && int(f.Code) < len(known) {
		out.Code = known[f.Code]
	}
	if f.RetryAfterMs > 0 {
		const longest = int64(365 * 24 * time.Hour / time.Millisecond)
		out.RetryAfter = time.Duration(min(f.RetryAfterMs, longest)) * time.Millisecond
	}
	return out
}

func descriptionToProto(d Description) *wirev1.DescribeResponse {
	out := &wirev1.DescribeResponse{Name: d.Name, Version: d.Version, Summary: d.Summary, ConfigSchema: d.Config}
	for _, a := range d.Actions {
		action := &wirev1.Action{
			Name: a.Name, Summary: a.Summary, InputSchema: a.Input, OutputSchema: a.Output,
			Outcome: outcomeToProto(a.Outcome), Effect: effectToProto(a.Effect),
		}
		for _, e := range a.Examples {
			action.Examples = append(action.Examples, &wirev1.Example{Title: e.Title, Input: e.Input, Output: e.Output})
		}
		out.Actions = append(out.Actions, action)
	}
	return out
}

func descriptionFromProto(d *wirev1.DescribeResponse) Description {
	out := Description{Name: d.Name, Version: d.Version, Summary: d.Summary, Config: d.ConfigSchema}
	for _, a := range d.Actions {
		action := Action{
			Name: a.Name, Summary: a.Summary, Input: a.InputSchema, Output: a.OutputSchema,
			Outcome: outcomeFromProto(a.Outcome), Effect: effectFromProto(a.Effect),
		}
		for _, e := range a.Examples {
			action.Examples = append(action.Examples, Example{Title: e.Title, Input: e.Input, Output: e.Output})
		}
		out.Actions = append(out.Actions, action)
	}
	return out
}

func shopToProto(s Shop) *wirev1.Shop {
	return &wirev1.Shop{Name: s.Name, Platform: s.Platform, Currency: s.Currency, Timezone: s.Timezone, Url: s.URL}
}

func shopFromProto(s *wirev1.Shop) Shop {
	return Shop{Name: s.GetName(), Platform: s.GetPlatform(), Currency: s.GetCurrency(), Timezone: s.GetTimezone(), URL: s.GetUrl()}
}

func writesToProto(writes []Write) []*wirev1.Write {
	var out []*wirev1.Write
	for _, w := range writes {
		out = append(out, &wirev1.Write{Key: w.Key, Value: w.Value, Delete: w.Delete, Version: w.Version})
	}
	return out
}

func writesFromProto(writes []*wirev1.Write) []Write {
	var out []Write
	for _, w := range writes {
		out = append(out, Write{Key: w.Key, Value: w.Value, Delete: w.Delete, Version: w.Version})
	}
	return out
}

func itemsFromProto(items []*wirev1.Item) []Item {
	var out []Item
	for _, i := range items {
		out = append(out, Item{Key: i.Key, Value: i.Value, Version: i.Version})
	}
	return out
}

func itemsToProto(items []Item) []*wirev1.Item {
	var out []*wirev1.Item
	for _, i := range items {
		out = append(out, &wirev1.Item{Key: i.Key, Value: i.Value, Version: i.Version})
	}
	return out
}
