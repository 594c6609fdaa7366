/** What a stack in Azure has to be told: nobody else can know it. */
export const azureNeeds = {
  organisation: "acme",
  owner: "platform@example.com",
  subscription: "11111111-1111-4111-8111-111111111111",
  tenant: "22222222-2222-4222-8222-222222222222",
  budget: { amount: 2000 },
  kubernetes: { adminGroups: ["5b1d8a52-7d1e-4f0e-8d6a-0d7c3f4f5a11"] },
};

/** The same for an environment whose API server is public. */
export const publicAzureNeeds = {
  ...azureNeeds,
  kubernetes: { ...azureNeeds.kubernetes, authorisedRanges: ["198.51.100.0/24"] },
};
