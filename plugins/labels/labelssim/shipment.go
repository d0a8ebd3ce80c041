package labelssim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/shophand/shophand/sdk/commerce"
)

// Address is an address as it was sent.
type Address struct {
	Name    string `json:"name"`
	Company string `json:"company"`
	Street1 string `json:"street1"`
	Street2 string `json:"street2"`
	City    string `json:"city"`
	State   string `json:"state"`
	Zip     string `json:"zip"`
	Country string `json:"country"`
	Phone   string `json:"phone"`
	Email   string `json:"email"`
}

// Parcel is a parcel as it was sent: ounces and inches, digit for digit.
type Parcel struct {
	Weight            json.Number `json:"weight"`
	Length            json.Number `json:"length"`
	Width             json.Number `json:"width"`
	Height            json.Number `json:"height"`
	PredefinedPackage string      `json:"predefined_package"`
}

// draft is what a request to create a shipment holds.
type draft struct {
	Reference   string         `json:"reference"`
	ToAddress   *Address       `json:"to_address"`
	FromAddress *Address       `json:"from_address"`
	Parcel      *Parcel        `json:"parcel"`
	Options     map[string]any `json:"options"`
}

// The wire shapes: every key of the vendor's, null where there is nothing.

type shipment struct {
	ID            string         `json:"id"`
	Object        string         `json:"object"`
	Mode          string         `json:"mode"`
	CreatedAt     string         `json:"created_at"`
	UpdatedAt     string         `json:"updated_at"`
	Reference     *string        `json:"reference"`
	Status        string         `json:"status"`
	TrackingCode  *string        `json:"tracking_code"`
	IsReturn      bool           `json:"is_return"`
	ToAddress     wireAddress    `json:"to_address"`
	FromAddress   wireAddress    `json:"from_address"`
	ReturnAddress wireAddress    `json:"return_address"`
	BuyerAddress  wireAddress    `json:"buyer_address"`
	Parcel        wireParcel     `json:"parcel"`
	Options       map[string]any `json:"options"`
	Rates         []rate         `json:"rates"`
	Messages      []message      `json:"messages"`
	SelectedRate  *rate          `json:"selected_rate"`
	PostageLabel  *postageLabel  `json:"postage_label"`
	Tracker       *tracker       `json:"tracker"`
	Fees          []fee          `json:"fees"`
	Forms         []any          `json:"forms"`
	USPSZone      *int           `json:"usps_zone"`
	CustomsInfo   *struct{}      `json:"customs_info"`
	ScanForm      *struct{}      `json:"scan_form"`
	Insurance     *string        `json:"insurance"`
	OrderID       *string        `json:"order_id"`
	BatchID       *string        `json:"batch_id"`
	BatchStatus   *string        `json:"batch_status"`
	BatchMessage  *string        `json:"batch_message"`
	RefundStatus  *string        `json:"refund_status"`

	sent     draft
	sellable map[string]rate // by id
}

type wireAddress struct {
	ID              string         `json:"id"`
	Object          string         `json:"object"`
	Mode            string         `json:"mode"`
	CreatedAt       string         `json:"created_at"`
	UpdatedAt       string         `json:"updated_at"`
	Name            *string        `json:"name"`
	Company         *string        `json:"company"`
	Street1         *string        `json:"street1"`
	Street2         *string        `json:"street2"`
	City            *string        `json:"city"`
	State           *string        `json:"state"`
	Zip             *string        `json:"zip"`
	Country         *string        `json:"country"`
	Phone           *string        `json:"phone"`
	Email           *string        `json:"email"`
	Residential     *bool          `json:"residential"`
	CarrierFacility *string        `json:"carrier_facility"`
	FederalTaxID    *string        `json:"federal_tax_id"`
	StateTaxID      *string        `json:"state_tax_id"`
	Verifications   map[string]any `json:"verifications"`
}

type wireParcel struct {
	ID                string       `json:"id"`
	Object            string       `json:"object"`
	Mode              string       `json:"mode"`
	CreatedAt         string       `json:"created_at"`
	UpdatedAt         string       `json:"updated_at"`
	Length            *json.Number `json:"length"`
	Width             *json.Number `json:"width"`
	Height            *json.Number `json:"height"`
	Weight            json.Number  `json:"weight"`
	PredefinedPackage *string      `json:"predefined_package"`
}

type message struct {
	Carrier          string `json:"carrier"`
	CarrierAccountID string `json:"carrier_account_id"`
	Message          string `json:"message"`
	Type             string `json:"type"`
}

type fee struct {
	Object   string `json:"object"`
	Type     string `json:"type"`
	Amount   string `json:"amount"`
	Charged  bool   `json:"charged"`
	Refunded bool   `json:"refunded"`
}

type postageLabel struct {
	ID              string  `json:"id"`
	Object          string  `json:"object"`
	CreatedAt       string  `json:"created_at"`
	UpdatedAt       string  `json:"updated_at"`
	DateAdvance     int     `json:"date_advance"`
	IntegratedForm  string  `json:"integrated_form"`
	LabelDate       string  `json:"label_date"`
	LabelResolution int     `json:"label_resolution"`
	LabelSize       string  `json:"label_size"`
	LabelType       string  `json:"label_type"`
	LabelFileType   string  `json:"label_file_type"`
	LabelURL        string  `json:"label_url"`
	LabelPDFURL     *string `json:"label_pdf_url"`
	LabelZPLURL     *string `json:"label_zpl_url"`
	LabelEPL2URL    *string `json:"label_epl2_url"`
	LabelFile       *string `json:"label_file"`
}

type tracker struct {
	ID              string    `json:"id"`
	Object          string    `json:"object"`
	Mode            string    `json:"mode"`
	CreatedAt       string    `json:"created_at"`
	UpdatedAt       string    `json:"updated_at"`
	TrackingCode    string    `json:"tracking_code"`
	Status          string    `json:"status"`
	StatusDetail    string    `json:"status_detail"`
	SignedBy        *string   `json:"signed_by"`
	Weight          *string   `json:"weight"`
	EstDeliveryDate *string   `json:"est_delivery_date"`
	ShipmentID      string    `json:"shipment_id"`
	Carrier         string    `json:"carrier"`
	TrackingDetails []any     `json:"tracking_details"`
	Fees            []fee     `json:"fees"`
	CarrierDetail   *struct{} `json:"carrier_detail"`
	PublicURL       string    `json:"public_url"`
}

const mode = "test"

func (s *Sim) now() string { return s.config.Now().UTC().Format(time.RFC3339) }

// id makes the next id: as long as the vendor's and the same in every simulator.
func (s *Sim) id(prefix string) string {
	s.serial++
	sum := sha256.Sum256(fmt.Append(nil, prefix, s.serial))
	return prefix + "_" + hex.EncodeToString(sum[:16])
}

// newShipment makes a shipment and has it rated. The state is locked.
func (s *Sim) newShipment(d draft) (*shipment, *refusal) {
	for _, r := range []struct {
		field   string
		missing bool
	}{
		{"shipment", d.ToAddress == nil && d.FromAddress == nil && d.Parcel == nil},
		{"to_address", d.ToAddress == nil}, {"from_address", d.FromAddress == nil}, {"parcel", d.Parcel == nil},
	} {
		if r.missing {
			return nil, required(r.field)
		}
	}
	if w, err := commerce.ParseDecimal(d.Parcel.Weight.String()); err != nil || w.Sign() <= 0 {
		return nil, &refusal{status: http.StatusUnprocessableEntity, code: "PARCEL.PARAMETERS.INVALID", message: "Wrong parameter type.",
			errors: []any{map[string]string{"field": "weight", "message": "must be greater than 0"}}}
	}
	now := s.now()
	out := &shipment{
		ID: s.id("shp"), Object: "Shipment", Mode: mode, CreatedAt: now, UpdatedAt: now, Reference: optional(d.Reference), Status: "unknown",
		ToAddress: s.address(*d.ToAddress), FromAddress: s.address(*d.FromAddress),
		Parcel: wireParcel{
			ID: s.id("prcl"), Object: "Parcel", Mode: mode, CreatedAt: now, UpdatedAt: now, Weight: d.Parcel.Weight,
			Length: measure(d.Parcel.Length), Width: measure(d.Parcel.Width), Height: measure(d.Parcel.Height),
			PredefinedPackage: optional(d.Parcel.PredefinedPackage),
		},
		Options: map[string]any{"currency": "USD", "date_advance": 0, "payment": map[string]string{"type": "SENDER"}},
		Fees:    []fee{}, Forms: []any{}, sent: d,
	}
	maps.Copy(out.Options, d.Options)
	out.ReturnAddress, out.BuyerAddress = out.FromAddress, out.ToAddress
	if out.domestic() {
		zone := 4
		out.USPSZone = &zone
	}
	out.Rates = s.quote(out)
	return out, nil
}

func (s *Sim) address(a Address) wireAddress {
	now := s.config.Now().UTC().Format("2006-01-02T15:04:05-07:00")
	return wireAddress{
		ID: s.id("adr"), Object: "Address", Mode: mode, CreatedAt: now, UpdatedAt: now,
		Name: optional(a.Name), Company: optional(a.Company), Street1: optional(a.Street1), Street2: optional(a.Street2),
		City: optional(a.City), State: optional(a.State), Zip: optional(a.Zip), Country: optional(a.Country),
		Phone: optional(a.Phone), Email: optional(a.Email), Verifications: map[string]any{},
	}
}

// purchase buys a rate. The state is locked.
func (s *Sim) purchase(to *shipment, rateID string) *refusal {
	chosen, sellable := to.sellable[rateID]
	switch {
	case to.PostageLabel != nil:
		return &refusal{status: http.StatusUnprocessableEntity, code: "SHIPMENT.POSTAGE.EXISTS", message: "Postage already exists for this shipment."}
	case s.faults.buyCode != "":
		return &refusal{status: http.StatusUnprocessableEntity, code: s.faults.buyCode, message: s.faults.buyMessage}
	case s.faults.broke:
		return &refusal{status: http.StatusPaymentRequired, code: "PAYMENT_REQUIRED", message: "Insufficient funds. Please add funds to your account."}
	case !sellable:
		return &refusal{status: http.StatusUnprocessableEntity, code: "SHIPMENT.MISSING_RATE", message: "The rate is no longer valid for this shipment."}
	case strings.Contains(strings.ToLower(to.sent.ToAddress.Street1), "unknown street"):
		return &refusal{status: http.StatusUnprocessableEntity, code: "SHIPMENT.POSTAGE.FAILURE", message: "Unable to buy postage.",
			errors: []any{map[string]any{"field": "to_address", "message": "Address not found", "suggestion": nil}}}
	}
	now, code := s.now(), fmt.Sprintf("94001001103680703%05d", s.serial)
	chosen.UpdatedAt = now
	kind, extension := "image/png", "png"
	switch to.Options["label_format"] {
	case "PDF":
		kind, extension = "application/pdf", "pdf"
	case "ZPL":
		kind, extension = "application/zpl", "zpl"
	case "EPL2":
		kind, extension = "application/epl2", "epl2"
	}
	labelID, trackerID := s.id("pl"), s.id("trk")
	to.SelectedRate, to.TrackingCode, to.UpdatedAt = &chosen, &code, now
	to.PostageLabel = &postageLabel{
		ID: labelID, Object: "PostageLabel", CreatedAt: now, UpdatedAt: now, IntegratedForm: "none", LabelDate: now,
		LabelResolution: 300, LabelSize: "4x6", LabelType: "default", LabelFileType: kind,
		LabelURL: s.config.FilesURL + "/" + strings.TrimPrefix(labelID, "pl_") + "." + extension,
	}
	to.Tracker = &tracker{
		ID: trackerID, Object: "Tracker", Mode: mode, CreatedAt: now, UpdatedAt: now, TrackingCode: code, Status: "unknown",
		StatusDetail: "unknown", ShipmentID: to.ID, Carrier: chosen.Carrier, TrackingDetails: []any{}, Fees: []fee{},
		PublicURL: s.config.TrackURL + "/" + strings.TrimPrefix(trackerID, "trk_"),
	}
	to.Fees = []fee{
		{Object: "Fee", Type: "LabelFee", Amount: "0.00000", Charged: true},
		{Object: "Fee", Type: "PostageFee", Amount: chosen.Rate + "000", Charged: true},
	}
	return nil
}

// shown returns the shipment for inspection.
func (s *shipment) shown() Shipment {
	out := Shipment{ID: s.ID, Reference: s.sent.Reference, To: *s.sent.ToAddress, From: *s.sent.FromAddress, Parcel: *s.sent.Parcel}
	out.InvoiceNumber, _ = s.Options["invoice_number"].(string)
	if s.PostageLabel != nil {
		out.Bought, out.TrackingCode, out.LabelURL = true, *s.TrackingCode, s.PostageLabel.LabelURL
		out.Carrier, out.Service, out.Currency = s.SelectedRate.Carrier, s.SelectedRate.Service, s.SelectedRate.Currency
		out.Rate = commerce.MustDecimal(s.SelectedRate.Rate) // of our own table
	}
	return out
}

func (s *shipment) domestic() bool {
	return strings.EqualFold(s.sent.ToAddress.Country, s.sent.FromAddress.Country)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func measure(n json.Number) *json.Number {
	if n == "" {
		return nil
	}
	return &n
}
