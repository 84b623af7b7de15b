"""What mail servers answer afterwards: bounces and complaints, as SES reports them."""
