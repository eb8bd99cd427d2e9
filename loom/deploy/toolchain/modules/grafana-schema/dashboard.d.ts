import type { Dashboard, VariableModel } from "@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen";

/** The published types with every string enum also written as its value: what a JSON file can say. */
export type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

/** What Grafana reads of a variable and its published types leave out. */
interface UnpublishedVariableKeys {
  auto?: boolean;
  auto_count?: number;
  auto_min?: string;
}

/** A dashboard as file provisioning takes it: classic, bare, no key that Grafana does not know. */
export type ProvisionedDashboard = Omit<Plain<Dashboard>, "templating"> & {
  templating?: { list?: Array<Plain<VariableModel> & UnpublishedVariableKeys> };
};
