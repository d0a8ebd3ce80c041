package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"github.com/shophand/shophand/core/secret"
	"github.com/shophand/shophand/sdk"
)

// settings say how the host runs. Each comes from its flag, else from the environment, else from shophand.yaml
// in the data folder, else from its default.
type settings struct {
	Data              string
	Listen            string
	PublicURL         string
	AdminToken        sdk.Secret
	Key               []byte // 32 bytes, or nil: from the key file in the data folder
	ShopifyAPIKey     string
	ShopifySecrets    []sdk.Secret
	ShopifyAPIVersion string
	AllowPrivateHTTP  bool
}

// fileSettings are the settings that shophand.yaml may hold.
type fileSettings struct {
	Listen            string `yaml:"listen"`
	PublicURL         string `yaml:"public_url"`
	AdminToken        string `yaml:"admin_token"`
	Key               string `yaml:"key"`
	ShopifyAPIKey     string `yaml:"shopify_api_key"`
	ShopifyAPISecret  string `yaml:"shopify_api_secret"`
	ShopifyAPIVersion string `yaml:"shopify_api_version"`
	AllowPrivateHTTP  bool   `yaml:"allow_private_http"`
}

func (s *settings) complete(flags *pflag.FlagSet) error {
	if v := os.Getenv("SHOPHAND_DATA"); v != "" && !flags.Changed("data") {
		s.Data = v
	}
	data, err := filepath.Abs(s.Data)
	if err != nil {
		return err
	}
	s.Data = data
	file, err := readSettingsFile(filepath.Join(s.Data, "shophand.yaml"))
	if err != nil {
		return err
	}
	pick := func(name, inFile, fallback string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		if inFile != "" {
			return inFile
		}
		return fallback
	}
	if !flags.Changed("listen") {
		s.Listen = pick("SHOPHAND_LISTEN", file.Listen, "127.0.0.1:8080")
	}
	s.PublicURL = strings.TrimSuffix(pick("SHOPHAND_PUBLIC_URL", file.PublicURL, ""), "/")
	s.AdminToken = sdk.Secret(pick("SHOPHAND_ADMIN_TOKEN", file.AdminToken, ""))
	s.ShopifyAPIKey = pick("SHOPIFY_API_KEY", file.ShopifyAPIKey, "")
	s.ShopifyAPIVersion = pick("SHOPIFY_API_VERSION", file.ShopifyAPIVersion, "2026-10")
	s.ShopifySecrets = nil
	for _, secret := range strings.Split(pick("SHOPIFY_API_SECRET", file.ShopifyAPISecret, ""), ",") {
		if secret = strings.TrimSpace(secret); secret != "" {
			s.ShopifySecrets = append(s.ShopifySecrets, sdk.Secret(secret))
		}
	}
	s.AllowPrivateHTTP = file.AllowPrivateHTTP
	if v := os.Getenv("SHOPHAND_ALLOW_PRIVATE_HTTP"); v != "" {
		s.AllowPrivateHTTP = v == "1"
	}
	if key := pick("SHOPHAND_KEY", file.Key, ""); key != "" {
		if s.Key, err = secret.ParseKey(key); err != nil {
			return fmt.Errorf("SHOPHAND_KEY: %w", err)
		}
	}
	return nil
}

// readSettingsFile reads shophand.yaml. A setting that there is not is refused: it is a slip, and another one
// counts than was meant.
func readSettingsFile(path string) (fileSettings, error) {
	var out fileSettings
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("reading the settings: %w", err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		return out, fmt.Errorf("reading the settings %s: %w", path, err)
	}
	if len(root.Content) == 0 || root.Content[0].ShortTag() == "!!null" {
		return out, nil // empty, or nothing but comments
	}
	top := root.Content[0]
	if top.Kind != yaml.MappingNode {
		return out, fmt.Errorf("%s:%d: settings are lines such as listen: 127.0.0.1:8080", path, top.Line)
	}
	known := settingNames()
	for i := 0; i < len(top.Content); i += 2 {
		if name := top.Content[i]; !slices.Contains(known, name.Value) {
			return out, fmt.Errorf("%s:%d: there is no setting %q; there are %s", path, name.Line, name.Value, strings.Join(known, ", "))
		}
	}
	if err := top.Decode(&out); err != nil {
		return out, fmt.Errorf("reading the settings %s: %w", path, err)
	}
	return out, nil
}

// settingNames lists the names that shophand.yaml may hold.
func settingNames() []string {
	var names []string
	for t, i := reflect.TypeFor[fileSettings](), 0; i < t.NumField(); i++ {
		names = append(names, t.Field(i).Tag.Get("yaml"))
	}
	return names
}
