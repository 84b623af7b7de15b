"""What comes with statements besides them: certificates, answers, signatures."""
