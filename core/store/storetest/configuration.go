package storetest

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/shophand/shophand/core/store"
)

func shops(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	if list, err := s.Shops(ctx); err != nil || len(list) != 0 {
		t.Errorf("a new store has the shops %v, %v", list, err)
	}
	_, err := s.Shop(ctx, "tea")
	says(t, err, store.ErrNotFound, "tea")
	says(t, s.RemoveShop(ctx, "tea"), store.ErrNotFound, "tea")
	bare := store.Shop{Name: "bare", Platform: "woocommerce", AddedAt: addedAt}
	noError(t, s.AddShop(ctx, shop("tea")), s.AddShop(ctx, bare), s.AddShop(ctx, shop("Tea")))
	changed := shop("tea")
	changed.Currency = "USD"
	says(t, s.AddShop(ctx, changed), store.ErrExists, "tea")

	got, err := s.Shop(ctx, "tea")
	noError(t, err)
	sameShop(t, got, shop("tea"))
	got, err = s.Shop(ctx, "bare")
	noError(t, err)
	sameShop(t, got, bare)
	list, err := s.Shops(ctx)
	noError(t, err)
	var names []string
	for _, x := range list {
		names = append(names, x.Name)
	}
	if want := []string{"Tea", "bare", "tea"}; !reflect.DeepEqual(names, want) {
		t.Errorf("shops are listed as %q, want %q", names, want)
	}
	noError(t, s.RemoveShop(ctx, "tea"))
	_, err = s.Shop(ctx, "tea")
	says(t, err, store.ErrNotFound, "tea")
	noError(t, s.AddShop(ctx, changed)) // a name is free again
}

// sameShop compares what secrets reveal, because as such they all look the same.
func sameShop(t *testing.T, got, want store.Shop) {
	t.Helper()
	if !got.AddedAt.Equal(want.AddedAt) || got.AddedAt.Location().String() != "UTC" {
		t.Errorf("added at %v, want %v in UTC", got.AddedAt, want.AddedAt)
	}
	if len(got.Credentials) != len(want.Credentials) || len(got.WebhookSecrets) != len(want.WebhookSecrets) {
		t.Fatalf("%s has %d credentials and %d webhook secrets", got.Name, len(got.Credentials), len(got.WebhookSecrets))
	}
	for name, secret := range want.Credentials {
		if got.Credentials[name].Reveal() != secret.Reveal() {
			t.Errorf("the credential %s came back changed", name)
		}
	}
	for i, secret := range want.WebhookSecrets {
		if got.WebhookSecrets[i].Reveal() != secret.Reveal() {
			t.Errorf("webhook secret %d came back changed", i)
		}
	}
	got.AddedAt, got.Credentials, got.WebhookSecrets = want.AddedAt, want.Credentials, want.WebhookSecrets
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func connection(plugin, shop, name string) store.Connection {
	return store.Connection{Plugin: plugin, Shop: shop, Name: name, Config: json.RawMessage(`{"api_key":"EZTK-` + plugin + shop + name + `"}`)}
}

func connections(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	_, err := s.Connection(ctx, "labels", "tea", "default")
	says(t, err, store.ErrNotFound, "labels", "tea", "default")
	says(t, s.RemoveConnection(ctx, "labels", "tea", "default"), store.ErrNotFound, "labels", "tea", "default")
	want := []store.Connection{ // in the order in which they are listed
		connection("http", "coffee", "default"), connection("http", "tea", "default"), connection("labels", "tea", "default"),
		connection("labels", "tea", "test account"), connection("labels", "tea.example", "default"),
	}
	for _, i := range []int{3, 0, 4, 2, 1} {
		noError(t, s.SetConnection(ctx, want[i]))
	}
	for _, c := range want {
		got, err := s.Connection(ctx, c.Plugin, c.Shop, c.Name)
		noError(t, err)
		if !reflect.DeepEqual(got, c) {
			t.Errorf("got %s, want %s", got.Config, c.Config)
		}
	}
	for scope, expected := range map[string][]store.Connection{"": want, "tea": want[1:4], "nobody": nil} {
		if got, err := s.Connections(ctx, scope); err != nil || !reflect.DeepEqual(got, expected) {
			t.Errorf("connections of %q: %v, %v", scope, got, err)
		}
	}
	want[2].Config = json.RawMessage(`{"api_key":"another"}`)
	noError(t, s.SetConnection(ctx, want[2])) // replaces
	if got, err := s.Connection(ctx, "labels", "tea", "default"); err != nil || string(got.Config) != string(want[2].Config) {
		t.Errorf("replaced, it is %s, %v", got.Config, err)
	}
	noError(t, s.RemoveConnection(ctx, "labels", "tea", "default"))
	_, err = s.Connection(ctx, "labels", "tea", "default")
	says(t, err, store.ErrNotFound)
}

func removal(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	noError(t, s.AddShop(ctx, shop("tea")), s.AddShop(ctx, shop("tea.example")),
		s.SetConnection(ctx, connection("http", "tea", "default")), s.SetConnection(ctx, connection("labels", "tea", "two")),
		s.SetConnection(ctx, connection("http", "tea.example", "default")))
	_, err := s.ApplyFlow(ctx, store.Flow{ID: "thanks", Shop: "tea", Version: "v1", Source: []byte("flow: thanks")})
	noError(t, err)
	put(t, s, "loyalty", "tea", "account/7", `{"points":5}`)
	noError(t, s.RemoveShop(ctx, "tea"))

	if left, err := s.Connections(ctx, ""); err != nil || len(left) != 1 || left[0].Shop != "tea.example" {
		t.Errorf("connections that are left: %v, %v", left, err)
	}
	if _, err := s.Shop(ctx, "tea.example"); err != nil {
		t.Errorf("another shop has gone along: %v", err)
	}
	if _, err := s.Flow(ctx, "tea", "thanks"); err != nil {
		t.Errorf("a flow has gone along: %v", err)
	}
	if item, err := s.PluginData("loyalty", "tea").Get(ctx, "account/7"); err != nil || item.Version == 0 {
		t.Errorf("plugin data has gone along: %v, %v", item, err)
	}
}

func flows(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	f := store.Flow{ID: "thanks", Name: "Thanks", Version: "v1", Enabled: true, Source: []byte("flow: thanks\n\x00\xff"), File: "thanks.yaml", AppliedAt: addedAt.UTC()}
	_, err := s.Flow(ctx, "", "thanks")
	says(t, err, store.ErrNotFound, "thanks")
	says(t, s.SetFlowEnabled(ctx, "", "thanks", true), store.ErrNotFound, "thanks")
	says(t, s.DeleteFlow(ctx, "", "thanks"), store.ErrNotFound, "thanks")

	got, err := s.ApplyFlow(ctx, f)
	noError(t, err)
	if !reflect.DeepEqual(got, f) {
		t.Errorf("applied as %+v", got)
	}
	own := f
	own.Shop, own.Enabled = "tea", false
	if got, err = s.ApplyFlow(ctx, own); err != nil || got.Enabled {
		t.Errorf("a new flow has the state it is given, not that of another scope: %+v, %v", got, err)
	}
	noError(t, s.SetFlowEnabled(ctx, "", "thanks", false))
	f.Version, f.Source, f.Enabled = "v2", []byte("flow: thanks\nname: two"), true
	if got, err = s.ApplyFlow(ctx, f); err != nil || got.Enabled || got.Version != "v2" {
		t.Errorf("applying a disabled flow gave %+v, %v; it must stay disabled", got, err)
	}
	if got, err = s.Flow(ctx, "", "thanks"); err != nil || got.Enabled || string(got.Source) != string(f.Source) {
		t.Errorf("the flow is %+v, %v", got, err)
	}
	noError(t, s.SetFlowEnabled(ctx, "", "thanks", true))
	other := f
	other.ID = "another"
	if _, err = s.ApplyFlow(ctx, other); err != nil {
		t.Fatal(err)
	}
	list, err := s.Flows(ctx)
	noError(t, err)
	var order []string
	for _, x := range list {
		order = append(order, x.ID+"/"+x.Shop)
	}
	if want := []string{"another/", "thanks/", "thanks/tea"}; !reflect.DeepEqual(order, want) {
		t.Errorf("flows are listed as %q, want %q", order, want)
	}
	noError(t, s.DeleteFlow(ctx, "", "thanks"))
	if _, err := s.Flow(ctx, "tea", "thanks"); err != nil {
		t.Errorf("deleting it for all shops took it from one: %v", err)
	}
	if got, err = s.ApplyFlow(ctx, f); err != nil || !got.Enabled {
		t.Errorf("applied after its deletion it is new: %+v, %v", got, err)
	}
}

func versions(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	apply := func(version, source string) {
		t.Helper()
		_, err := s.ApplyFlow(ctx, store.Flow{ID: "thanks", Version: version, Source: []byte(source)})
		noError(t, err)
	}
	check := func(version, source string) {
		t.Helper()
		if got, err := s.FlowVersion(ctx, "thanks", version); err != nil || string(got) != source {
			t.Errorf("version %s is %q, %v; want %q", version, got, err, source)
		}
	}
	apply("v1", "one")
	apply("v2", "two")
	apply("v1", "one, written in another way") // runs are on the first text
	check("v1", "one")
	check("v2", "two")
	noError(t, s.DeleteFlow(ctx, "", "thanks"))
	check("v1", "one")
	_, err := s.FlowVersion(ctx, "thanks", "v3")
	says(t, err, store.ErrNotFound, "thanks", "v3")
	_, err = s.FlowVersion(ctx, "than", "ks\x00v1")
	says(t, err, store.ErrNotFound)
}

func generation(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	for _, step := range []struct {
		name   string
		change func() error
	}{
		{"a shop added", func() error { return s.AddShop(ctx, shop("tea")) }},
		{"a connection set", func() error { return s.SetConnection(ctx, connection("http", "tea", "default")) }},
		{"a connection removed", func() error { return s.RemoveConnection(ctx, "http", "tea", "default") }},
		{"a flow applied", func() error { _, err := s.ApplyFlow(ctx, store.Flow{ID: "f", Version: "v"}); return err }},
		{"a flow enabled", func() error { return s.SetFlowEnabled(ctx, "", "f", true) }},
		{"a flow deleted", func() error { return s.DeleteFlow(ctx, "", "f") }},
		{"a shop removed", func() error { return s.RemoveShop(ctx, "tea") }},
	} {
		before := s.Generation()
		noError(t, step.change())
		if s.Generation() <= before {
			t.Errorf("%s: the generation stays %d", step.name, before)
		}
	}
	before := s.Generation()
	put(t, s, "loyalty", "tea", "a", `1`)
	_, err := s.Shops(ctx)
	noError(t, err)
	if s.Generation() != before {
		t.Errorf("reading, and plugin data, change the generation: caches would be made anew all the time")
	}
}

func secretsAtRest(t *testing.T, open Open) {
	dir := t.TempDir()
	s, ctx := must(t, open, dir), t.Context()
	noError(t, s.AddShop(ctx, shop("tea")), s.SetConnection(ctx, connection("labels", "tea", "default")),
		s.SetConnection(ctx, store.Connection{Plugin: "http", Shop: "tea", Name: "default", Config: json.RawMessage(`{"headers":{"Authorization":"Bearer abc"}}`)}),
		s.Close())
	if !grep(t, dir, "Europe/Berlin") {
		t.Error("the store's files do not show what is no secret either: this test looks in the wrong place")
	}
	for _, secret := range []string{token.Reveal(), hook.Reveal(), "EZTK-", "Bearer abc", "Authorization", "api_key", "credentials"} {
		if grep(t, dir, secret) {
			t.Errorf("%q can be read in the store's files", secret)
		}
	}
}

func anotherKey(t *testing.T, open Open) {
	dir := t.TempDir()
	s, ctx := must(t, open, dir), t.Context()
	noError(t, s.AddShop(ctx, shop("tea")), s.SetConnection(ctx, connection("labels", "tea", "default")), s.Close())
	s, err := open(dir, 2)
	if err != nil {
		return // refused at once: as good
	}
	defer s.Close()
	for name, call := range map[string]func() error{
		"Shop":        func() error { _, err := s.Shop(ctx, "tea"); return err },
		"Shops":       func() error { _, err := s.Shops(ctx); return err },
		"Connection":  func() error { _, err := s.Connection(ctx, "labels", "tea", "default"); return err },
		"Connections": func() error { _, err := s.Connections(ctx, ""); return err },
	} {
		err := call()
		if err == nil {
			t.Errorf("%s works with another key", name)
			continue
		}
		says(t, err, err, "tea", "another key")
	}
	noError(t, s.Close())
	s = must(t, open, dir)
	if got, err := s.Shop(ctx, "tea"); err != nil || got.Credentials["token"].Reveal() != token.Reveal() {
		t.Errorf("with the right key again: %v", err)
	}
}

func reopened(t *testing.T, open Open) {
	dir := t.TempDir()
	s, ctx := must(t, open, dir), t.Context()
	noError(t, s.AddShop(ctx, shop("tea")), s.SetConnection(ctx, connection("labels", "tea", "default")))
	_, err := s.ApplyFlow(ctx, store.Flow{ID: "thanks", Version: "v1", Source: []byte("one"), Enabled: true})
	noError(t, err, s.SetFlowEnabled(ctx, "", "thanks", false))
	put(t, s, "loyalty", "tea", "account/7", `{"points":5}`)
	noError(t, s.Close())

	s = must(t, open, dir)
	got, err := s.Shop(ctx, "tea")
	noError(t, err)
	sameShop(t, got, shop("tea"))
	if f, err := s.Flow(ctx, "", "thanks"); err != nil || f.Enabled || f.Version != "v1" {
		t.Errorf("the flow is %+v, %v", f, err)
	}
	if source, err := s.FlowVersion(ctx, "thanks", "v1"); err != nil || string(source) != "one" {
		t.Errorf("its version is %q, %v", source, err)
	}
	if _, err := s.Connection(ctx, "labels", "tea", "default"); err != nil {
		t.Error(err)
	}
	if item, err := s.PluginData("loyalty", "tea").Get(ctx, "account/7"); err != nil || string(item.Value) != `{"points":5}` {
		t.Errorf("plugin data is %s, %v", item.Value, err)
	}
	if _, ok, err := s.Applied(ctx, "loyalty", "tea", "put account/7 0"); err != nil || !ok {
		t.Errorf("an idempotency key is forgotten: %v", err)
	}
}

func ended(t *testing.T, open Open) {
	s, ctx := must(t, open, t.TempDir()), t.Context()
	noError(t, s.Close())
	for name, err := range map[string]error{
		"AddShop":   s.AddShop(ctx, shop("tea")),
		"ApplyOnce": func() error { _, err := s.ApplyOnce(ctx, "p", "s", "k", nil, nil); return err }(),
		"Shops":     func() error { _, err := s.Shops(ctx); return err }(),
		"Get":       func() error { _, err := s.PluginData("p", "s").Get(ctx, "k"); return err }(),
	} {
		if err == nil {
			t.Errorf("%s after Close says nothing", name)
		}
	}
}
