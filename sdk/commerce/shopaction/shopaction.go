// Package shopaction holds the inputs and outputs of the platform's own actions, named shop/… in a flow.
// Every connector offers them with these types, so that one flow works on every platform.
package shopaction

// TagOrderInput is the input of shop/tag_order.
type TagOrderInput struct {
	Order string   `json:"order" jsonschema:"platform id of the order"`
	Tags  []string `json:"tags" jsonschema:"tags to add; those that the order has already are kept once"`
}

// TagOrderOutput is the output of shop/tag_order.
type TagOrderOutput struct {
	Order string   `json:"order" jsonschema:"platform id of the order"`
	Tags  []string `json:"tags" jsonschema:"all tags of the order afterwards"`
}
